using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Quantization;

/// <summary>A model folder that appears under its name only when it is whole.</summary>
internal sealed class QuantizedFolder : IDisposable
{
    private readonly string _path;
    private readonly string _draft;

    /// <summary>Begins a folder.</summary>
    /// <param name="path">Where it will appear.</param>
    /// <exception cref="ConfigException">Something is there, or the place cannot be written.</exception>
    public QuantizedFolder(string path)
    {
        _path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(_path)) throw new ConfigException($"--out {path} is a file; allowed: a folder that does not exist or is empty");
        if (Directory.Exists(_path) && Directory.EnumerateFileSystemEntries(_path).Any())
            throw new ConfigException($"--out {path} is not empty; allowed: a folder that does not exist or is empty");
        _draft = $"{_path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(_draft);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"--out {path}: cannot be written: {error.Message}", error);
        }
    }

    /// <summary>A file of the folder while it is being made.</summary>
    public string this[string name] => Path.Combine(_draft, name);

    /// <summary>Writes tokenizer and generation files of <paramref name="source"/>, and its configuration with how the weights are
    /// packed.</summary>
    /// <exception cref="ConfigException">The files have no words for what the model has.</exception>
    public void WriteFiles(ModelSource source, QuantizeOptions options)
    {
        var config = source.WriteFolder(_draft);
        config["quantization_config"] = new JsonObject
        {
            ["bits"] = options.Bits,
            ["group_size"] = options.Group,
            ["modules_to_not_convert"] = null,
            ["quant_method"] = "awq",
            ["version"] = "gemm",
            ["zero_point"] = true,
        };
        // The kernels of other engines multiply in f16 only.
        config[config.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = "float16";
        JsonFile.Write(this["config.json"], config);
    }

    /// <summary>Gives the folder its name.</summary>
    public void Complete()
    {
        if (Directory.Exists(_path)) Directory.Delete(_path);
        Directory.Move(_draft, _path);
    }

    /// <summary>Drops what was not completed.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_draft)) Directory.Delete(_draft, recursive: true);
    }
}
