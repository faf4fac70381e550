using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.SafeTensors;

namespace Fuzz;

/// <summary>Model folders packed by AWQ whose description or tensors lie.</summary>
internal sealed class AwqFolders : HostileKind
{
    public override string Name => "awq";

    public override void Run(Random random, string folder)
    {
        var config = ModelFiles.Config(random);
        config["model_type"] = "llama";
        var (bits, group) = (Pick(random, 4, 4, 8), Pick(random, 32, 32, 64, -1));
        var isOld = Rarely(random, 4);
        var packing = new JsonObject
        {
            [isOld ? "w_bit" : "bits"] = Rarely(random, 20) ? ModelFiles.Number(random) : bits,
            [isOld ? "q_group_size" : "group_size"] = Rarely(random, 20) ? ModelFiles.Number(random) : group,
            ["version"] = Rarely(random, 30) ? "gemv" : "gemm",
            ["zero_point"] = !Rarely(random, 30),
        };
        if (!isOld) packing["quant_method"] = "awq";
        if (Rarely(random, 4)) packing["modules_to_not_convert"] = new JsonArray(Pick(random, "down_proj", "layers.1", "", "x"));
        if (Rarely(random, 20))
            packing[Pick(random, "format", "sym", "desc_act", "rotation", "dynamic")] = Pick<JsonNode>(random, true, "marlin", 3);
        if (isOld) File.WriteAllText(Path.Combine(folder, "quant_config.json"), packing.ToJsonString());
        else config["quantization_config"] = packing;
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        File.WriteAllBytes(
            Path.Combine(folder, "model.safetensors"),
                ModelFiles.Damaged(random, ModelFiles.SafeTensors(random, Tensors(random, bits, group))));
        ModelLoading.Try(random, () => SafeTensorsCheckpoint.Open(folder), isPacked: true);
    }

    private static IEnumerable<(string Name, string Type, long[] Shape, int Bytes)> Tensors(Random random, int bits, int group)
    {
        foreach (var (name, shape) in ModelFiles.Tensors().Where(tensor => !tensor.Name.Contains("_proj", StringComparison.Ordinal)))
            yield return (name, "BF16", [.. shape.Select(length => (long)length)],
                2 * shape.Aggregate(1, (product, length) => product * length));
        for (var layer = 0; layer < 2; layer++)
            foreach (var (name, rows, columns) in ModelFiles.Linear())
            {
                var (words, groups) = (rows * bits / 32, columns / (group == -1 ? columns : group));
                foreach (var (part, type, height, width, size) in new[] { ("qweight", "I32", columns, words, 4),
                    ("qzeros", "I32", groups, words, 4), ("scales", "F16", groups, rows, 2) })
                    if (!Rarely(random, 500))
                        yield return ($"model.layers.{layer}.{name}.{part}", Rarely(random, 500) ? "F32"
                            : type, [Rarely(random, 500) ? ModelFiles.Number(random) : height, width], height * width * size);
            }
    }
}
