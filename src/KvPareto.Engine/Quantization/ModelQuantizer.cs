using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Quantization;

/// <summary>One decoder layer is done.</summary>
/// <param name="Index">Layer, from 0.</param>
/// <param name="Count">Layers of the model.</param>
/// <param name="Choices">What the scale searches chose; none for round to nearest.</param>
public sealed record QuantizedLayer(int Index, int Count, IReadOnlyList<ScaleChoice> Choices);

/// <summary>Makes a quantized checkpoint in AutoAWQ's format: a Hugging Face folder.</summary>
public static class ModelQuantizer
{
    /// <summary>
    /// Quantizes all linear layers; embedding, norms and output head stay as they are (norms scaled, for
    /// <see cref="QuantizeMethod.Awq"/>), but for blocks, which become f16. One layer is in memory at a time, and the
    /// hidden states of all calibration tokens.
    /// </summary>
    /// <param name="backend">Where products are computed.</param>
    /// <param name="model">A folder, whose other files are copied, or a GGUF file, of which they are made.</param>
    /// <param name="output">Folder to make; it appears when it is whole.</param>
    /// <param name="options">Method, bits, group.</param>
    /// <param name="calibration">Texts as token ids; used by <see cref="QuantizeMethod.Awq"/> alone.</param>
    /// <param name="onLayer">Called after each layer.</param>
    /// <param name="cancellation">Checked within each layer.</param>
    /// <exception cref="ConfigException">The model, the options or the output folder cannot be used.</exception>
    public static void Run(
        Backend backend,
        ModelSource model,
        string output,
        QuantizeOptions options,
        IReadOnlyList<int[]> calibration,
        Action<QuantizedLayer>? onLayer = null,
        CancellationToken cancellation = default)
    {
        model.RequireFolder();
        using var checkpoint = model.OpenCheckpoint();
        var config = checkpoint.Config;
        options.Validate(config, model.Model);
        if (options.Method == QuantizeMethod.Awq) Check(calibration, config);
        using var folder = new QuantizedFolder(output);
        folder.WriteFiles(model, options);
        using var loader = new WeightLoader(backend, checkpoint, WeightSpec.Full);
        AwqSearch? search = null;
        if (options.Method == QuantizeMethod.Awq)
        {
            search = new(backend, config, options, loader.Embedding(), calibration);
            loader.Release();
        }
        AwqWriter? writer = null;
        try
        {
            for (var index = 0; index < config.LayerCount; index++)
            {
                cancellation.ThrowIfCancellationRequested();
                var weights = loader.Layer(index);
                if (writer is null) // begun when the first layer has been found to be in order
                {
                    writer = new(folder["model.safetensors"], checkpoint, options, backend.Memory);
                    writer.CopyRest(checkpoint, backend.Memory);
                }
                var layer = LayerMatrices.Read(checkpoint, weights, backend.Memory);
                var choices = search?.Run(index, weights, layer, cancellation) ?? [];
                layer.Round();
                writer.Write(layer);
                loader.Release();
                onLayer?.Invoke(new(index, config.LayerCount, choices));
            }
            writer!.Complete();
        }
        finally
        {
            writer?.Dispose();
        }
        folder.Complete();
    }

    private static void Check(IReadOnlyList<int[]> calibration, ModelConfig config)
    {
        if (calibration.Sum(text => (long)text.Length) == 0)
            throw new ConfigException("the calibration has no tokens; allowed: at least one text");
        foreach (var text in calibration)
        {
            if (text.Length == 0 || text.Length > config.MaxPositions)
                throw new ConfigException($"a calibration text has {text.Length} tokens;"
                    + $" allowed: 1 to {config.MaxPositions}, the model's max_position_embeddings");
            var foreign = Array.FindIndex(text, id => (uint)id >= (uint)config.VocabularySize);
            if (foreign >= 0)
                throw new ConfigException(
                    $"token id {text[foreign]} in the calibration; the model's vocabulary has ids 0 to {config.VocabularySize - 1}");
        }
    }
}
