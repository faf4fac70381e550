using System.Text.Json.Serialization;

namespace KvPareto.Engine.Seam;

/// <summary>What a byte of backend memory is for.</summary>
public enum MemoryCategory
{
    /// <summary>Model weights in the form the backend multiplies with.</summary>
    Weights,

    /// <summary>Packed keys and values with their scales, zero points and means.</summary>
    KvCache,

    /// <summary>The tensors that flow between ops.</summary>
    Activations,

    /// <summary>Scratch of kernels, staging of uploads, attention scores of the <c>math</c> kernel.</summary>
    Workspace,
}

/// <summary>The part of a run that a peak belongs to.</summary>
public enum MemoryPhase
{
    /// <summary>Reading, coding and uploading weights.</summary>
    Load,

    /// <summary>The prompt's forward passes, up to the first new token.</summary>
    Prefill,

    /// <summary>One forward pass for each later token.</summary>
    Decode,

    /// <summary>What only measuring needs, such as the logits of a reference: part of no run's peak.</summary>
    Measuring,
}

/// <summary>Live bytes by category at the moment the total was highest.</summary>
/// <param name="Weights">Bytes of <see cref="MemoryCategory.Weights"/>.</param>
/// <param name="KvCache">Bytes of <see cref="MemoryCategory.KvCache"/>.</param>
/// <param name="Activations">Bytes of <see cref="MemoryCategory.Activations"/>.</param>
/// <param name="Workspace">Bytes of <see cref="MemoryCategory.Workspace"/>.</param>
public readonly record struct MemoryUse(long Weights, long KvCache, long Activations, long Workspace)
{
    /// <summary>Sum over the categories.</summary>
    public long Total => Weights + KvCache + Activations + Workspace;

    /// <summary>What one has beyond the other.</summary>
    public static MemoryUse operator -(MemoryUse a, MemoryUse b) =>
        new(a.Weights - b.Weights, a.KvCache - b.KvCache, a.Activations - b.Activations, a.Workspace - b.Workspace);
}

/// <summary>The high-water marks of one run, each with the categories at that moment; never a sum of separate maxima.</summary>
/// <param name="Load">Peak while loading.</param>
/// <param name="Prefill">Peak during prefill.</param>
/// <param name="Decode">Peak during decoding; zero where nothing was decoded.</param>
public readonly record struct MemoryPeaks(MemoryUse Load, MemoryUse Prefill, MemoryUse Decode)
{
    /// <summary>How they were got; null by the ledger, which is all that older journals know.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<PeakKind>))]
    public PeakKind? Measured { get; init; }

    /// <summary>How they were got.</summary>
    public PeakKind Kind => Measured ?? PeakKind.Ledger;

    /// <summary>The inference peak: the higher of prefill and decode.</summary>
    public MemoryUse Inference => InferencePhase == MemoryPhase.Decode ? Decode : Prefill;

    /// <summary>The phase that <see cref="Inference"/> belongs to.</summary>
    public MemoryPhase InferencePhase => Decode.Total > Prefill.Total ? MemoryPhase.Decode : MemoryPhase.Prefill;

    /// <summary>The highest of each phase over two runs.</summary>
    public static MemoryPeaks Max(MemoryPeaks a, MemoryPeaks b) =>
        new(Higher(a.Load, b.Load), Higher(a.Prefill, b.Prefill), Higher(a.Decode, b.Decode))
        {
            Measured = b.Kind > a.Kind ? b.Measured : a.Measured,
        };

    private static MemoryUse Higher(MemoryUse a, MemoryUse b) => b.Total > a.Total ? b : a;
}

/// <summary>
/// Counts live bytes by category and keeps the high-water mark of their sum for each phase.
/// Every allocation of a backend passes through one ledger, so a peak is what was truly live at one moment. Where a library allocates by
/// itself, a meter gives the peaks: what it reads beyond the ledger's weights, cache and activations counts as workspace.
/// </summary>
/// <param name="meter">Where peaks are read; null where the ledger's own sum is exact.</param>
public sealed class MemoryLedger(MemoryMeter? meter = null)
{
    private readonly Lock _gate = new();
    private readonly long[] _live = new long[Enum.GetValues<MemoryCategory>().Length];
    private readonly MemoryUse[] _peaks = new MemoryUse[Enum.GetValues<MemoryPhase>().Length];
    private readonly long[] _measured = new long[Enum.GetValues<MemoryPhase>().Length];
    private MemoryPhase _phase = MemoryPhase.Load;
    private readonly long[] _others = new long[Enum.GetValues<MemoryCategory>().Length]; // live, and no part of a peak
    private bool _isAside; // what is allocated and given back is others'
    private bool _isForgotten; // the phase was restarted: what was read of it no longer counts

    /// <summary>Bytes live now.</summary>
    public MemoryUse Live
    {
        get { lock (_gate) return Use(_live); }
    }

    /// <summary>The part of them that counts to peaks.</summary>
    public MemoryUse Counted
    {
        get { lock (_gate) return Use(_live) - Use(_others); }
    }

    /// <summary>The peaks since construction or the last <see cref="Restart"/> of each phase.</summary>
    public MemoryPeaks Peaks
    {
        get
        {
            lock (_gate)
            {
                TakeMeter();
                return new(Peak(MemoryPhase.Load), Peak(MemoryPhase.Prefill), Peak(MemoryPhase.Decode)) { Measured = meter?.Kind };
            }
        }
    }

    /// <summary>Enters a phase: what is live now counts towards its peak.</summary>
    public void Enter(MemoryPhase phase)
    {
        lock (_gate)
        {
            TakeMeter();
            (_phase, _isForgotten) = (phase, false);
            meter?.Reset();
            Mark();
        }
    }

    /// <summary>Forgets the peak of a phase, so that the next run of it is measured alone.</summary>
    public void Restart(MemoryPhase phase)
    {
        lock (_gate)
        {
            (_peaks[(int)phase], _measured[(int)phase]) = (default, 0);
            _isForgotten |= phase == _phase;
        }
    }

    /// <summary>Records <paramref name="bytes"/> newly live bytes.</summary>
    public void Add(MemoryCategory category, long bytes)
    {
        lock (_gate)
        {
            _live[(int)category] += bytes;
            if (_isAside) _others[(int)category] += bytes;
            Mark();
        }
    }

    /// <summary>Records <paramref name="bytes"/> bytes given back.</summary>
    public void Remove(MemoryCategory category, long bytes)
    {
        lock (_gate)
        {
            _live[(int)category] -= bytes;
            if (_isAside) _others[(int)category] -= bytes;
        }
    }

    /// <summary>
    /// Runs something beside which others hold memory: it does not count to the peaks meanwhile. Not for peaks that a meter gives.
    /// </summary>
    /// <param name="others">Bytes of theirs, all live to the end.</param>
    /// <param name="run">What is run.</param>
    public T Beside<T>(MemoryUse others, Func<T> run)
    {
        RequireNoMeter();
        CountOut(others);
        try
        {
            return run();
        }
        finally
        {
            CountOut(default(MemoryUse) - others);
        }
    }

    /// <summary>What <paramref name="change"/> allocates counts to no peak, until another change gives it back. Not for peaks that a meter
    /// gives.</summary>
    public void Aside(Action change)
    {
        RequireNoMeter();
        _isAside = true;
        try
        {
            change();
        }
        finally
        {
            _isAside = false;
        }
    }

    private void RequireNoMeter()
    {
        if (meter is not null) throw new InvalidOperationException("a meter does not tell whose memory it reads");
    }

    private void CountOut(MemoryUse bytes)
    {
        lock (_gate)
        {
            _others[(int)MemoryCategory.Weights] += bytes.Weights;
            _others[(int)MemoryCategory.KvCache] += bytes.KvCache;
            _others[(int)MemoryCategory.Activations] += bytes.Activations;
            _others[(int)MemoryCategory.Workspace] += bytes.Workspace;
        }
    }

    private void TakeMeter()
    {
        if (meter is not null && !_isForgotten) _measured[(int)_phase] = Math.Max(_measured[(int)_phase], meter.HighBytes);
    }

    private MemoryUse Peak(MemoryPhase phase)
    {
        var peak = _peaks[(int)phase];
        if (meter is null || peak.Total == 0) return peak;
        return peak with { Workspace = Math.Max(0, _measured[(int)phase] - (peak.Weights + peak.KvCache + peak.Activations)) };
    }

    private void Mark()
    {
        var now = Use(_live) - Use(_others);
        if (now.Total > _peaks[(int)_phase].Total) _peaks[(int)_phase] = now;
    }

    private static MemoryUse Use(long[] bytes) => new(
        bytes[(int)MemoryCategory.Weights],
        bytes[(int)MemoryCategory.KvCache],
        bytes[(int)MemoryCategory.Activations],
        bytes[(int)MemoryCategory.Workspace]);
}
