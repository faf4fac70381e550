using Xunit;

namespace KvPareto.Testing;

/// <summary>Where tests find files: golden values copied into this project, and what a developer may have beside the repository.</summary>
public static class TestData
{
    /// <summary>The repository's top folder.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>A file or folder under <c>tests/KvPareto.Testing/Data</c>.</summary>
    public static string Golden(params string[] parts) => Path.Combine([AppContext.BaseDirectory, "Data", .. parts]);

    /// <summary>
    /// A file or folder of the data kept outside the repository: <c>KVPARETO_SHARED</c>, else <c>../shared</c>.
    /// The calling test is skipped where it is not there.
    /// </summary>
    public static string SharedOrSkip(params string[] parts)
    {
        var root = Environment.GetEnvironmentVariable("KVPARETO_SHARED") ?? Path.Combine(RepositoryRoot, "..", "shared");
        var path = Path.GetFullPath(Path.Combine([root, .. parts]));
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Skip($"needs {Path.Combine(parts)} beside the repository (or in KVPARETO_SHARED)");
        return path;
    }

    /// <summary>The folder of SmolLM2-135M-Instruct, from <c>KVPARETO_SMOLLM2</c>. The calling test is skipped where it is not
    /// set.</summary>
    public static string SmolLm2OrSkip()
    {
        var folder = Environment.GetEnvironmentVariable("KVPARETO_SMOLLM2");
        if (string.IsNullOrEmpty(folder)) Assert.Skip("needs KVPARETO_SMOLLM2, the folder of SmolLM2-135M-Instruct");
        return folder;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "KvPareto.sln"))) return folder.FullName;
        return AppContext.BaseDirectory;
    }
}
