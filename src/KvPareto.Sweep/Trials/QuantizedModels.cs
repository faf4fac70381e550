using System.Globalization;
using System.Security.Cryptography;
using KvPareto.Engine.Checkpoints;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Quantization;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Results;
using KvPareto.Tasks;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Weights that the tool makes of a model, each once: a folder of the user's cache, named by a hash of the model's files, the options and
/// the calibration. Workers that need the same one wait for the first.
/// </summary>
/// <param name="backend">Where products are computed.</param>
internal sealed class QuantizedModels(Backend backend)
{
    private const string Layout = "1"; // of what the hash is over
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>The folder of a model's weights; null where they have not been made.</summary>
    /// <param name="digest">SHA-256 (hex) over the model's files.</param>
    /// <param name="recipe">How.</param>
    public string? Find(string digest, AwqRecipe recipe) =>
        PathOf(digest, recipe) is var folder && Directory.Exists(folder) ? folder : null;

    /// <summary>The folder of a model's weights, made if it is not there.</summary>
    /// <param name="source">The model.</param>
    /// <param name="digest">SHA-256 (hex) over its files.</param>
    /// <param name="recipe">How.</param>
    /// <param name="onLayer">Called after each layer that is made.</param>
    /// <param name="cancellation">Checked within each layer.</param>
    /// <exception cref="ConfigException">The model, the recipe or the cache folder cannot be used.</exception>
    public string Folder(
        ModelSource source, string digest, AwqRecipe recipe, Action<QuantizedLayer>? onLayer, CancellationToken cancellation)
    {
        var folder = PathOf(digest, recipe);
        try
        {
            if (Directory.Exists(folder)) return folder;
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            using var turn = WaitForTurn(folder + ".lock", cancellation);
            if (!Directory.Exists(folder)) Make(source, folder, recipe, onLayer, cancellation);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(
                $"{folder}: cannot be written: {e.Message}; allowed: a folder for it, named by {UserCache.Variable}", e);
        }
    }

    private void Make(ModelSource source, string folder, AwqRecipe recipe, Action<QuantizedLayer>? onLayer, CancellationToken cancellation)
    {
        var texts = CalibrationTexts.Read(recipe.Calibration, source.RequireTokenizer(), recipe.Samples, recipe.Tokens);
        ModelQuantizer.Run(backend, source, folder, new(QuantizeMethod.Awq, recipe.Bits, recipe.Group), texts, onLayer, cancellation);
    }

    private string PathOf(string digest, AwqRecipe recipe) =>
        Path.Combine(UserCache.Root(Environment.GetEnvironmentVariable), "weights", "awq-" + NameOf(digest, recipe));

    private string NameOf(string digest, AwqRecipe recipe)
    {
        using var calibration = ForeignFile.Open(recipe.Calibration);
        var texts = Convert.ToHexStringLower(SHA256.HashData(calibration));
        var identity = string.Create(CultureInfo.InvariantCulture,
            $"{Layout}\n{digest}\n{backend.Name}\n{recipe.Bits}\n{recipe.Group}\n{recipe.Samples}\n{recipe.Tokens}\n"
                + $"{Path.GetExtension(recipe.Calibration)}\n{texts}");
        return TextHash.Of(identity);
    }

    private static FileStream WaitForTurn(string path, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException) when (File.Exists(path))
            {
                cancellation.WaitHandle.WaitOne(Look);
            }
        }
    }
}
