using System.Collections.Immutable;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>Precision of the weights: linear layers, and embedding with output head. What is coded here is coded by round to
/// nearest.</summary>
/// <param name="Bits">Of the linear layers: 16: as the checkpoint has them; 8 or 4: coded in groups.</param>
/// <param name="Group">Input channels of one output row that share scale and zero point, wherever codes are: a multiple of 32 up to
/// 256.</param>
/// <param name="EmbeddingBits">Of the embedding and the output head: 16: as the checkpoint has them; 8 or 4: coded in groups.</param>
public sealed record WeightSpec(int Bits, int Group = WeightSpec.DefaultGroup, int EmbeddingBits = 16)
{
    /// <summary>Group where none is asked for; a model whose widths it does not divide takes the next smaller one that does
    /// (<see cref="For"/>).</summary>
    public const int DefaultGroup = 128;

    private static readonly int[] SmallerGroups = [64, 32];

    /// <summary>As the checkpoint has them.</summary>
    public static readonly WeightSpec Full = new(16);

    /// <summary>Bits that can be asked for.</summary>
    public static ImmutableArray<int> AllBits { get; } = [16, 8, 4];

    /// <summary>Group sizes that can be asked for.</summary>
    public static ImmutableArray<int> Groups { get; } = [32, 64, 96, 128, 160, 192, 224, 256];

    /// <summary>
    /// How the checkpoint must have its linear layers coded, for a variant of a model; null for the model's own checkpoint, whatever it is.
    /// Then <see cref="Bits"/> are 16: the layers are taken as they are.
    /// </summary>
    public WeightForm? Form { get; init; }

    /// <summary>Bits of the linear layers' codes, whoever made them; 16 where there are none.</summary>
    public int CodeBits => Form?.Bits ?? Bits;

    /// <summary>Who chose the codes: <c>awq</c>, <c>gguf</c>, <c>rtn</c> (round to nearest), or <c>none</c>.</summary>
    public string Method => Form?.Method ?? (Bits < 16 ? "rtn" : "none");

    /// <summary>True where something is coded, so that the group means something.</summary>
    public bool IsCoded => Bits < 16 || EmbeddingBits < 16;

    /// <summary>The same for a model: the default group falls to the largest of 64 and 32 that divides the widths of all that is
    /// coded.</summary>
    public WeightSpec For(ModelConfig config)
    {
        if (!IsCoded || Group != DefaultGroup || Divides(config, Group)) return this;
        return Array.Find(SmallerGroups, group => Divides(config, group)) is > 0 and var group ? this with { Group = group } : this;
    }

    /// <summary>True where a group divides the input widths of all that is coded.</summary>
    public bool Divides(ModelConfig config, int group) => Array.TrueForAll(CodedWidths(config), width => width % group == 0);

    /// <summary>Input widths of all that is coded.</summary>
    public int[] CodedWidths(ModelConfig config) => Bits < 16
        ? [config.HiddenSize, config.QueryHeads * config.HeadDim, config.FeedForwardSize]
        : [config.HiddenSize];

    /// <summary>Refuses what the model's checkpoint cannot be loaded with, whatever its shapes.</summary>
    /// <exception cref="ConfigException">Bits or group are none of those that can be asked for, or the linear layers are packed
    /// already.</exception>
    public void Validate(ModelConfig config)
    {
        Check("weight bits", Bits, AllBits);
        Check("embedding bits", EmbeddingBits, AllBits);
        if (IsCoded) Check("weight group", Group, Groups);
        if (Bits < 16 && config.Quantization is { } packed)
            throw new ConfigException(
                $"weight bits {Bits}: the checkpoint's linear layers are packed by AWQ at {packed.Bits} bits already; allowed: 16, "
                    + "which takes them as they are");
    }

    /// <summary>Refuses a checkpoint that does not have the form asked for, or as <see cref="Validate(ModelConfig)"/>.</summary>
    /// <exception cref="ConfigException">Names both forms.</exception>
    public void Validate(Checkpoint checkpoint)
    {
        if (Form is not null && Form != checkpoint.Form)
        {
            var own = checkpoint.Form?.Word;
            throw new ConfigException(
                $"{checkpoint.Source}: weights {Form.Word}, but its linear layers are {own ?? "not packed"}; allowed: "
                    + $"{(own is null ? "" : own + ", ")}w16, which takes them as they are");
        }
        Validate(checkpoint.Config);
    }

    private static void Check(string what, int value, ImmutableArray<int> allowed)
    {
        if (!allowed.Contains(value)) throw new ConfigException($"{what} {value}: allowed are {string.Join(", ", allowed)}");
    }
}
