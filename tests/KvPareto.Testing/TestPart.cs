using System.Globalization;
using Xunit;

namespace KvPareto.Testing;

/// <summary>One of several equal parts of a theory's rows, where <c>KVPARETO_TEST_PART=i/n</c> asks for it: each process of
/// scripts/device-tests.sh compiles its own kernels.</summary>
public static class TestPart
{
    private const string Variable = "KVPARETO_TEST_PART";

    /// <summary>The rows of this process; all where none are asked for.</summary>
    public static TheoryData<string> Of(TheoryData<string> rows)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } part) return rows;
        var numbers = part.Split('/');
        var (index, count) = (int.Parse(numbers[0], CultureInfo.InvariantCulture), int.Parse(numbers[1], CultureInfo.InvariantCulture));
        var chosen = new TheoryData<string>();
        foreach (var (row, number) in rows.Select((row, number) => (row, number)))
            if (number % count == index) chosen.Add(row.Data);
        return chosen;
    }
}
