using KvPareto.Testing;

namespace KvPareto.Engine.Tests;

public class SourceTests
{
    private const int MostLines = 350;
    private const int LongestLine = 140;

    private static readonly string[] Text = [".cs", ".csproj", ".cu", ".cuh", ".py", ".js", ".css", ".html"];

    /// <summary>A file has one subject; one that grows beyond this has two.</summary>
    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    [InlineData("benchmarks")]
    [InlineData("scripts")]
    public void NoFile_IsTooLong(string folder)
    {
        foreach (var file in Files(folder))
        {
            var lines = File.ReadLines(file).Count();
            Assert.True(lines <= MostLines, $"{file}: {lines} lines; allowed: {MostLines}");
        }
    }

    [Fact]
    public void NoLineOfTheProgram_IsTooLong()
    {
        var files = Files("src");
        foreach (var kind in Text)
            Assert.True(files.Any(file => Path.GetExtension(file) == kind), $"no {kind}: the test no longer sees what it should");
        foreach (var file in files)
        {
            var widest = File.ReadLines(file).Max(line => line.Length);
            Assert.True(widest <= LongestLine, $"{file}: a line of {widest} characters; allowed: {LongestLine}");
        }
    }

    private static List<string> Files(string folder)
    {
        var root = Path.Combine(TestData.RepositoryRoot, folder);
        List<string> files = [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .Where(file => Text.Contains(Path.GetExtension(file)))];
        Assert.NotEmpty(files);
        return files;
    }
}
