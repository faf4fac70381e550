namespace KvPareto.Cuda.Tests;

/// <summary>Files of compiled kernels.</summary>
public sealed class KernelCacheTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"kvpareto-kernels-{Guid.NewGuid():N}");
    private int _compiled;

    [Fact]
    public void Image_IsCompiledOnce()
    {
        Assert.Equal(Image(1), new KernelCache(_folder).Get("a", Compile));
        Assert.Equal(Image(1), new KernelCache(_folder).Get("a", Compile));
        Assert.Equal(Image(2), new KernelCache(_folder).Get("b", Compile));
        Assert.Equal(["a.cubin", "b.cubin"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
    }

    /// <summary>A byte changed anywhere, a file cut short, or nothing in it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(-1)]
    [InlineData(-2)]
    public void DamagedFile_IsCompiledAgain(int place)
    {
        var cache = new KernelCache(_folder);
        cache.Get("a", Compile);
        var path = Path.Combine(_folder, "a.cubin");
        var bytes = File.ReadAllBytes(path);
        if (place >= 0) bytes[place] ^= 1;
        File.WriteAllBytes(path, place == -1 ? bytes[..^1] : place == -2 ? [] : bytes);
        Assert.Equal(Image(2), cache.Get("a", Compile));
        Assert.Equal(Image(2), cache.Get("a", Compile));
    }

    [Fact]
    public void FolderThatCannotBe_IsDoneWithout()
    {
        Directory.CreateDirectory(_folder);
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var cache = new KernelCache(Path.Combine(file, "kernels"));
        Assert.Equal(Image(1), cache.Get("a", Compile));
        Assert.Equal(Image(2), cache.Get("a", Compile));
    }

    [Fact]
    public void Names_TellPartsAndTheirOrderApart()
    {
        string[][] parts = [["ab", "c"], ["a", "bc"], ["c", "ab"], ["ab", "c", ""], ["ab"]];
        Assert.Equal(parts.Length, parts.Select(KernelCache.NameOf).Distinct().Count());
        Assert.Equal(KernelCache.NameOf(["ab", "c"]), KernelCache.NameOf(parts[0]));
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private byte[] Compile() => Image(++_compiled);

    private static byte[] Image(int seed) => [.. Enumerable.Range(0, 100).Select(i => (byte)(i * seed))];
}
