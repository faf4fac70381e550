using KvPareto.Testing;

namespace KvPareto.Engine.Tests;

public class SourceTests
{
    private const int MostLines = 350;
    private const int LongestLine = 140;

    /// <summary>A file has one subject; one that grows beyond this has two.</summary>
    [Fact]
    public void NoFileOfTheProgram_IsTooLong()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(folder => folder is "obj" or "bin"))];
        Assert.True(files.Length > 300, $"{files.Length} files: the test no longer sees what it should");
        foreach (var file in files)
        {
            var lines = File.ReadAllLines(file);
            Assert.True(lines.Length <= MostLines, $"{file}: {lines.Length} lines; allowed: {MostLines}");
            var widest = lines.Max(line => line.Length);
            Assert.True(widest <= LongestLine, $"{file}: a line of {widest} characters; allowed: {LongestLine}");
        }
    }

    [Fact]
    public void NoLineOfAKernel_IsTooLong()
    {
        var folder = Path.Combine(TestData.RepositoryRoot, "src", "KvPareto.Cuda", "Kernels");
        string[] files = [.. Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file) is ".cu" or ".cuh")];
        Assert.True(files.Length > 20, $"{files.Length} files: the test no longer sees what it should");
        foreach (var file in files)
        {
            var widest = File.ReadLines(file).Max(line => line.Length);
            Assert.True(widest <= LongestLine, $"{file}: a line of {widest} characters; allowed: {LongestLine}");
        }
    }
}
