using KvPareto.Engine.Model;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>What a GGUF file as a whole is called after its tensors' types: <c>general.file_type</c>, or else the type of most of its
/// weights.</summary>
internal static class GgufFileType
{
    private const string Key = "general.file_type";

    // Numbers of enum llama_ftype whose tensors this reader knows.
    private static readonly Dictionary<int, string> Names = new()
    {
        [0] = "F32",
        [1] = "F16",
        [2] = "Q4_0",
        [3] = "Q4_1",
        [7] = "Q8_0",
        [8] = "Q5_0",
        [9] = "Q5_1",
        [10] = "Q2_K",
        [11] = "Q3_K_S",
        [12] = "Q3_K_M",
        [13] = "Q3_K_L",
        [14] = "Q4_K_S",
        [15] = "Q4_K_M",
        [16] = "Q5_K_S",
        [17] = "Q5_K_M",
        [18] = "Q6_K",
        [21] = "Q2_K_S",
        [25] = "IQ4_NL",
        [30] = "IQ4_XS",
        [32] = "BF16",
    };

    /// <summary>The file's form.</summary>
    public static WeightForm Of(GgufFile file)
    {
        if (file.Metadata.Has(Key) && Names.TryGetValue(file.Metadata.Integer(Key, 0, int.MaxValue), out var name))
            return WeightForm.Gguf(name);
        var most = file.Tensors.Values.Where(tensor => tensor.Shape.Length == 2).GroupBy(tensor => tensor.Type)
            .OrderByDescending(type => type.Sum(tensor => (long)tensor.Shape[0] * tensor.Shape[1])).ThenBy(type => type.Key).First();
        return WeightForm.Gguf(most.Key.SafeTensorsName());
    }
}
