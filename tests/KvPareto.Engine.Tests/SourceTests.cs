using KvPareto.Testing;

namespace KvPareto.Engine.Tests;

public class SourceTests
{
    private const int MostLines = 350;
    private const int LongestLine = 140;

    private static readonly string[] Text = [".cs", ".csproj", ".cu", ".cuh", ".py", ".js", ".css", ".html"];

    /// <summary>A file has one subject; one that grows beyond this has two.</summary>
    [Fact]
    public void NoFileOfTheProgram_IsTooLong()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "src"), "*", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(folder => folder is "obj" or "bin"))
            .Where(file => Text.Contains(Path.GetExtension(file)))];
        foreach (var kind in Text)
            Assert.True(files.Any(file => Path.GetExtension(file) == kind), $"no {kind}: the test no longer sees what it should");
        foreach (var file in files)
        {
            var lines = File.ReadAllLines(file);
            Assert.True(lines.Length <= MostLines, $"{file}: {lines.Length} lines; allowed: {MostLines}");
            var widest = lines.Max(line => line.Length);
            Assert.True(widest <= LongestLine, $"{file}: a line of {widest} characters; allowed: {LongestLine}");
        }
    }
}
