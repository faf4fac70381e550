using KvPareto.Engine.Checkpoints.SafeTensors;

namespace Fuzz;

/// <summary>Model folders whose safetensors file lies about types, shapes and places, or is damaged.</summary>
internal sealed class SafeTensorsFiles : HostileKind
{
    public override string Name => "safetensors";

    public override void Run(Random random, string folder)
    {
        var config = ModelFiles.Config(random);
        config["model_type"] = "llama";
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        var tensors = ModelFiles.Tensors().Where(_ => !Rarely(random, 200)).Select(tensor =>
        {
            var type = Rarely(random, 60) ? Pick(random, "F16", "F32", "F64", "I8", "BOOL", "F4", "Q4_0", "") : "BF16";
            var shape = tensor.Shape.Select(length => Rarely(random, 150) ? ModelFiles.Number(random) : length).ToArray();
            var bytes = 2 * tensor.Shape.Aggregate(1, (product, length) => product * length);
            return (tensor.Name, type, shape, Rarely(random, 150) ? random.Next(2 * bytes) : bytes);
        });
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), ModelFiles.Damaged(random, ModelFiles.SafeTensors(random, tensors)));
        ModelLoading.Try(random, () => SafeTensorsCheckpoint.Open(folder));
    }
}
