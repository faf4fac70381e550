using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Checkpoints.SafeTensors;

public class SafeTensorsWriterTests
{
    private static readonly TensorSpec[] Specs =
    [
        new("bytes", TensorType.U8, [3]), new("halves", TensorType.F16, [2, 5]), new("empty", TensorType.F32, [0]),
        new("scalar", TensorType.F64, []), new("\"quoted\"\n", TensorType.F32, [1, 2, 3]),
    ];

    [Fact]
    public void Write_ReadsBackAlignedAndInAnyOrder()
    {
        using var folder = new ScratchFolder();
        var path = folder["out.safetensors"];
        using (var writer = new SafeTensorsWriter(path, Specs, new Dictionary<string, string> { ["format"] = "pt" }))
        {
            foreach (var spec in Specs.Reverse())
                foreach (var half in Content(spec).Chunk(4)) writer.Write(spec.Name, half);
            Assert.False(File.Exists(path));
            writer.Complete();
        }
        Assert.Single(Directory.GetFiles(folder.Root));
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal(Specs.Length, file.Tensors.Count);
        foreach (var spec in Specs)
        {
            var tensor = file.Tensors[spec.Name];
            Assert.Equal((spec.Type, spec.ByteCount), (tensor.Type, tensor.ByteCount));
            Assert.Equal(spec.Shape, tensor.Shape);
            Assert.Equal(Content(spec), tensor.Bytes.ToArray());
            unsafe { Assert.Equal(0, (nint)tensor.Data % (spec.Type.BitSize() / 8)); }
        }
    }

    [Fact]
    public void Dispose_LeavesNothingOfAnUnfinishedFile()
    {
        using var folder = new ScratchFolder();
        using (var writer = new SafeTensorsWriter(folder["out.safetensors"], Specs))
        {
            writer.Write("bytes", [1, 2]);
            Assert.Throws<InvalidOperationException>(writer.Complete);
        }
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void Write_RefusesWhatWasNotAnnounced()
    {
        using var folder = new ScratchFolder();
        using var writer = new SafeTensorsWriter(folder["out.safetensors"], Specs);
        Assert.Throws<ArgumentException>(() => writer.Write("bytes", new byte[4]));
        Assert.Throws<ArgumentException>(() => writer.Write("other", new byte[1]));
        Assert.Throws<ArgumentException>(() => new SafeTensorsWriter(folder["b"], [Specs[0], Specs[0]]));
    }

    private static byte[] Content(TensorSpec spec) =>
        [.. Enumerable.Range(0, (int)spec.ByteCount).Select(i => (byte)(i * 7 + spec.Name.Length))];
}
