using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Tests.Model;

/// <summary>Keeps a copy of each uploaded weight and counts those not yet disposed; it computes nothing.</summary>
internal sealed class RecordingBackend : Backend
{
    public override string Name => "recording";

    public override string Device => "none";

    public override DType ActivationType => DType.F32;

    public override MemoryLayout Layout => throw new NotSupportedException();

    public override string Instructions => "none";

    public List<Recorded> Uploads { get; } = [];

    /// <summary>Most workspace that was live during an upload.</summary>
    public long LargestStaging { get; private set; }

    /// <summary>Called with the number of each upload, from 0, before it is done.</summary>
    public Action<int>? BeforeUpload { get; init; }

    /// <summary>Tensors that there is room for.</summary>
    public int Room { get; set; }

    public override unsafe Weight Upload(HostWeight weight)
    {
        BeforeUpload?.Invoke(Uploads.Count);
        LargestStaging = Math.Max(LargestStaging, Memory.Live.Workspace);
        var elements = (long)weight.RowCount * weight.ColumnCount;
        var bytes = weight.Format switch
        {
            WeightFormat.F32 =>
            elements * 4,
            WeightFormat.W4 => elements / 2,
            WeightFormat.W8 => elements,
            _ => elements * 2
        };
        var groups = weight.GroupSize == 0 ? [] : new Span<GroupMeta>(weight.Groups, (int)(elements / weight.GroupSize)).ToArray();
        Uploads.Add(new(this, weight, new Span<byte>(weight.Data, (int)bytes).ToArray(), groups));
        return Uploads[^1];
    }

    public Recorded this[string name] => Assert.Single(Uploads, weight => weight.Name == name);

    public override Tensor Alloc(DType type, int rows, int columns, MemoryCategory category) => Room-- > 0
        ? new(new NativeBuffer(Memory, category, (long)rows * columns * type.ByteSize()), 0, type, rows, columns, columns)
        : throw new InsufficientMemoryException("asked for");

    public override Workspace CreateWorkspace(WorkspaceShape shape) => throw new NotSupportedException();

    public override void Write(ReadOnlySpan<float> source, Tensor x) => throw new NotSupportedException();

    public override void Read(Tensor x, Span<float> destination) => throw new NotSupportedException();

    public override void Synchronize() { }

    public override void Dispose() { }

    protected override KvCache CreateCacheCore(KvGeometry geometry, KvSpec spec, int capacity) => throw new NotSupportedException();

    protected override void EmbedCore(Step step, Weight embedding, Tensor x, float scale) => throw new NotSupportedException();

    protected override void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y) => throw new NotSupportedException();

    protected override void LinearCore(Tensor x, Weight weight, Tensor y) => throw new NotSupportedException();

    protected override void RopeCore(Step step, Tensor x, RopeTable table) => throw new NotSupportedException();

    protected override void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y) =>
        throw new NotSupportedException();

    protected override void SiluMulCore(Tensor gate, Tensor up) => throw new NotSupportedException();

    protected override void AddCore(Tensor x, Tensor y) => throw new NotSupportedException();

    internal sealed class Recorded : Weight
    {
        private readonly RecordingBackend _backend;

        public Recorded(RecordingBackend backend, HostWeight weight, byte[] data, GroupMeta[] groups)
            : base(weight.Name, weight.Format, weight.RowCount, weight.ColumnCount)
        {
            (_backend, Data, Groups, Bias) = (backend, data, groups, weight.Bias);
            backend.Memory.Add(MemoryCategory.Weights, ByteCount);
        }

        public byte[] Data { get; }

        public GroupMeta[] Groups { get; }

        public float[]? Bias { get; }

        public ReadOnlySpan<float> Floats => MemoryMarshal.Cast<byte, float>(Data);

        public override long ByteCount => Data.Length + Groups.Length * GroupMeta.ByteSize + (Bias?.Length ?? 0) * sizeof(float);

        public override void Dispose() => _backend.Memory.Remove(MemoryCategory.Weights, ByteCount);
    }
}
