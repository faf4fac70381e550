namespace KvPareto.Sweep.Trials;

/// <summary>Time that measured work took.</summary>
internal sealed class WorkRate
{
    private double _seconds;
    private double _work;

    /// <summary>Seconds a unit of work; null while none was measured.</summary>
    public double? SecondsPerUnit => _work > 0 ? _seconds / _work : null;

    /// <summary>Takes in one measurement.</summary>
    public void Add(double seconds, double work) => (_seconds, _work) = (_seconds + seconds, _work + work);
}
