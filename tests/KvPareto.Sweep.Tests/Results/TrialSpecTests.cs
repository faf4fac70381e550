using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Tests.Results;

public class TrialSpecTests
{
    private static TrialSpec Spec(
        string model = "m", string digest = "aa", string setting = "w4a16-k8v4-t64", string task = "t1", int seed = 1,
            string backend = "cpu") =>
        new(model, digest, InferenceSetting.Parse(setting), [task, "t2"], seed, backend);

    [Fact]
    public void Id_IsTheHashOfItsCanonicalJson()
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("""{"model":"aa","seed":1,"setting":"w4a16-k8v4-t64","tasks":["t1","t2"]}"""));
        Assert.Equal(Convert.ToHexStringLower(hash)[..16], Spec().Id);
    }

    [Fact]
    public void Id_DependsOnAllButTheModelsName()
    {
        Assert.Equal(Spec().Id, Spec(model: "other").Id);
        string[] ids =
            [Spec().Id, Spec(digest: "ab").Id, Spec(setting: "w4a16-k8v4-t64-c256").Id, Spec(task: "t0").Id, Spec(seed: 2)
            .Id, Spec(backend: "cuda").Id];
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }
}
