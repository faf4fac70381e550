using System.CommandLine;
using System.Globalization;

namespace KvPareto.Cli.Parsing;

/// <summary>What <c>--limit</c> says.</summary>
/// <param name="Most">Samples of each task; null for all.</param>
internal sealed record SampleLimit(int? Most)
{
    private const string All = "all";

    /// <summary>What is written for a limit.</summary>
    public static string Text(int? most) => most is { } samples ? samples.ToString(CultureInfo.InvariantCulture) : All;

    /// <summary>The option; null where it is not given.</summary>
    public static Option<SampleLimit?> Option() => new("--limit")
    {
        Description = "Measure at most N samples of each task, or all. Default: all; with --resume and no CONFIG, as before.",
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (text == All) return new((int?)null);
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most >= 1) return new(most);
            result.AddError($"--limit '{text}'; allowed: 1 or more samples of each task, or all");
            return null;
        },
    };
}
