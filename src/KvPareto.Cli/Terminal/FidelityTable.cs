using KvPareto.Sweep.Fidelity;
using static System.FormattableString;

namespace KvPareto.Cli.Terminal;

/// <summary>Fidelity as a table that grows by a line whenever a setting is done.</summary>
internal sealed class FidelityTable(TextWriter output)
{
    private const int SettingWidth = 40;
    private bool _begun;

    /// <summary>Writes a row, before the first one what was measured.</summary>
    public void Write(FidelityRow row)
    {
        if (!_begun)
        {
            output.WriteLine(Invariant($"{row.Model}, {row.Text}: {row.Tokens} tokens in windows of {row.Window}")
                + Invariant($"; perplexity unquantized {row.ReferencePpl:F4}; KL in nats"));
            output.WriteLine($"{"setting".PadRight(SettingWidth)}  {"bits",6} {"bytes/token",11} {"perplexity",11}"
                + $" {"KL mean",10} {"p50",10} {"p99",10} {"max",9} {"top-1 %",8} {"s",7}");
            _begun = true;
        }
        output.WriteLine(Invariant($"{row.Setting.PadRight(SettingWidth)}  {row.BitsPerElement,6:F3} {row.BytesPerToken,11:F1} {row.Ppl,11:F4}")
            + Invariant($" {row.KlMean,10:G4} {row.KlP50,10:G4} {row.KlP99,10:G4} {row.KlMax,9:G4}")
            + Invariant($" {100 * row.Top1,8:F3} {row.Seconds,7:F1}"));
    }
}
