using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Settings;

public class SettingNameTests
{
    [Theory]
    [InlineData("w16a16-k16v16")]
    [InlineData("w4a16-k8v4-t64-smooth-c256")]
    [InlineData("w4g64a16-k4v2-kt32-vt64")]
    [InlineData("w16a16-k16v2-t32-c64-math")]
    [InlineData("w16a16-k4v2-kch32-vt64-smooth-prebias-rotkv-clip96-sink4-recent128-edge2-c256-math")]
    [InlineData("w16a16-k4v4-tensor-rotk")]
    [InlineData("w16a16-k8v8-kpow2-vb16")]
    [InlineData("w8a16-k16v16")]
    [InlineData("w8g32a16-e4-k8v8-t32")]
    [InlineData("w4g64a16-e8-k4v4-t64-c256")]
    [InlineData("w16a16-e8-k16v16")]
    [InlineData("w16g64a16-e4-k16v16")]
    [InlineData("awq4g128a16-k8v4-t64")]
    [InlineData("awq8rowa16-k16v16")]
    [InlineData("awq4g32g64a16-e8-k16v16")]
    [InlineData("q4_1a16-k4v4-t64-c256")]
    [InlineData("q4_k_ma16-e8-k16v16")]
    [InlineData("iq4_nla16-k16v16")]
    [InlineData("bf16a16-k16v16")]
    public void Name_ReadsBack(string name) => Assert.Equal(name, InferenceSetting.Parse(name).Name);

    [Fact]
    public void Name_SaysEveryPart()
    {
        var setting = InferenceSetting.Parse("w4g64a16-k8v4-kt32-vt64-smooth-c256-math");
        Assert.Equal(new WeightSpec(4, 64), setting.Weights);
        Assert.Equal(new WeightSpec(16, 32, 4), InferenceSetting.Parse("w16g32a16-e4-k16v16").Weights);
        Assert.Equal(
            (8, 4, 32, 64, true),
                (setting.Cache.Keys.Bits, setting.Cache.Values.Bits, setting.Cache.Keys.Granularity.Group,
                setting.Cache.Values.Granularity.Group, setting.Cache.SmoothKeys));
        Assert.Equal((256, AttentionKernel.Math), (setting.Chunk, setting.Attention));
    }

    [Fact]
    public void Name_TellsWhoCodedTheWeights()
    {
        Assert.Equal(("awq", 4, 128), Of("awq4g128a16-k16v16"));
        Assert.Equal(("gguf", 6, 0), Of("q6_ka16-k16v16"));
        Assert.Equal(("rtn", 4, null), Of("w4a16-k16v16"));
        Assert.Equal(("none", 16, null), Of("w16a16-k16v16"));
        Assert.NotEqual(InferenceSetting.Parse("w4a16-k16v16").Weights, InferenceSetting.Parse("awq4g128a16-k16v16").Weights);

        static (string, int, int?) Of(string name) =>
            InferenceSetting.Parse(name).Weights is var weights ? (weights.Method, weights.CodeBits, weights.Form?.Group) : default;
    }

    [Theory]
    [InlineData("")]
    [InlineData("w4a16")]
    [InlineData("w5a16-k8v8-t64")]
    [InlineData("w4a16-e16-k8v8-t64")]
    [InlineData("w4a16-k8v8-t64-e8")]
    [InlineData("w16g64a16-k8v8-t64")]
    [InlineData("w4a16-k3v8-t64")]
    [InlineData("awq4a16-k8v8-t64")]
    [InlineData("awq3g128a16-k8v8-t64")]
    [InlineData("awq4g48a16-k8v8-t64")]
    [InlineData("awq4g128g64a16-k8v8-t64")]
    [InlineData("q9_0a16-k8v8-t64")]
    [InlineData("q4_1-k8v8-t64")]
    [InlineData("w4a16-k8v8-t64-t64")]
    [InlineData("w4a16-k8v8-kt64")]
    [InlineData("w4a16-k8v8-t64-c0")]
    [InlineData("w4a16-k8v8-t64-smooth-smooth")]
    [InlineData("w4a16-k8v8-t64-c256-smooth")]
    [InlineData("w4a16-k8v8-ch")]
    [InlineData("w4a16-k8v8-tensor64")]
    [InlineData("w4a16-k8v8-t64-sink0")]
    [InlineData("w4a16-k8v8-t64-rotv")]
    public void Name_RefusesWhatItDoesNotKnow(string name)
    {
        var error = Assert.Throws<ConfigException>(() => InferenceSetting.Parse(name));
        Assert.Contains("w4a16-k8v4-t64-smooth-c256", error.Message, StringComparison.Ordinal);
    }
}
