using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Config;

public class ModelConfigReaderTests
{
    [Theory]
    [InlineData("llama", 32, false, false, false, 0, 500000.0)]
    [InlineData("qwen2", 16, true, false, true, 0, 1000000.0)]
    [InlineData("qwen3", 32, true, true, false, 0, 1000000.0)]
    [InlineData("mistral", 16, false, false, false, 48, 10000.0)]
    public void Read_TakesOldAndNewForms(string family, int headDim, bool tied, bool qkNorm, bool qkvBias, int window, double theta)
    {
        var config = ModelConfigReader.Read(TestData.Golden("models", family, "config.json"));
        Assert.Equal((family, 512, 96, 224, 3, 6, 2), (config.Family, config.VocabularySize, config.HiddenSize, config.FeedForwardSize,
            config.LayerCount, config.QueryHeads, config.KvHeads));
        Assert.Equal((headDim, tied, qkNorm, qkvBias), (config.HeadDim, config.TiedEmbeddings, config.QkNorm, config.QkvBias));
        Assert.Equal((1e-6f, 4096, DType.BF16), (config.NormEpsilon, config.MaxPositions, config.StoredType));
        Assert.Equal([window, window, window], config.LayerWindows);
        var expected = family == "llama" ? RopeFrequencies.Llama3(headDim, theta, new(8, 1, 4, 128))
            : RopeFrequencies.Default(headDim, theta);
        Assert.Equal(expected.InverseFrequencies, config.Rope.InverseFrequencies);
        Assert.Equal(family is "llama" or "mistral" ? [2] : [], config.EosIds);
        Assert.Equal(family is "llama" or "mistral" ? 1 : null, config.BosId);
    }

    [Fact]
    public void Read_TakesTheRealModel()
    {
        var config = ModelConfigReader.Read(TestData.SharedOrSkip("models", "SmolLM2-135M-Instruct", "config.json"));
        Assert.Equal((30, 576, 64), (config.LayerCount, config.HiddenSize, config.HeadDim));
        Assert.Equal((9, 3, 49152, 8192), (config.QueryHeads, config.KvHeads, config.VocabularySize, config.MaxPositions));
        Assert.Equal([2], config.EosIds);
    }

    [Theory]
    [InlineData("llama", """{"head_dim":null}""", 16)]
    [InlineData("mistral", """{"head_dim":null}""", 16)]
    [InlineData("qwen3", """{"head_dim":null}""", 128)]
    [InlineData("qwen3", """{"head_dim":48}""", 48)]
    public void Read_HeadDim(string family, string change, int expected) => Assert.Equal(expected, Read(family, change).HeadDim);

    [Theory]
    [InlineData("llama", 4, 4)]
    [InlineData("phi3", 4, 4)]
    [InlineData("smollm3", 16, 4)]
    [InlineData("mistral", 16, 8)]
    [InlineData("qwen2", 64, 32)]
    [InlineData("qwen3", 64, 32)]
    public void Read_AbsentKvHeads_AreTransformersDefault(string family, int heads, int expected) =>
        Assert.Equal(expected, Read(family, $$"""{"num_key_value_heads":null,"num_attention_heads":{{heads}}}""").KvHeads);

    [Theory]
    [InlineData("llama", """{"sliding_window":7}""", "0,0,0,0")]
    [InlineData("mistral", """{"sliding_window":7}""", "7,7,7,7")]
    [InlineData("mistral", """{"sliding_window":null}""", "4096,4096,4096,4096")]
    [InlineData("qwen2", """{"sliding_window":7}""", "0,0,0,0")]
    [InlineData("qwen2", """{"sliding_window":7,"use_sliding_window":true}""", "0,0,0,0")]
    [InlineData("qwen2", """{"sliding_window":7,"use_sliding_window":true,"max_window_layers":3}""", "0,0,0,7")]
    [InlineData("qwen3", """{"use_sliding_window":true,"max_window_layers":1}""", "0,4096,4096,4096")]
    [InlineData("qwen3", """{"sliding_window":7,"use_sliding_window":true,"layer_types":["sliding_attention","full_attention","full_attention","sliding_attention"]}""", "7,0,0,7")]
    public void Read_Windows(string family, string change, string expected) =>
        Assert.Equal(expected, string.Join(',', Read(family, change, layers: 4).LayerWindows));

    [Fact]
    public void Read_AWrittenNullWindowIsNone()
    {
        Assert.Contains("\"sliding_window\":null", Config("mistral", "{}", 2), StringComparison.Ordinal);
        Assert.Equal([0, 0], Read("mistral", "{}").LayerWindows);
    }

    [Theory]
    [InlineData("llama", """{"attention_bias":true,"mlp_bias":true}""", true, true, true)]
    [InlineData("llama", """{}""", false, false, false)]
    [InlineData("qwen2", """{}""", true, false, false)]
    [InlineData("qwen3", """{"attention_bias":true}""", true, true, false)]
    [InlineData("mistral", """{"attention_bias":true}""", false, false, false)]
    public void Read_Biases(string family, string change, bool qkv, bool output, bool feedForward)
    {
        var config = Read(family, change);
        Assert.Equal((qkv, output, feedForward), (config.QkvBias, config.OutputBias, config.FeedForwardBias));
    }

    [Theory]
    [InlineData("""{"rope_theta":5000}""", 5000, "default")]
    [InlineData("""{"rope_theta":null}""", 10000, "default")]
    [InlineData("""{"rope_scaling":{"type":"linear","factor":4}}""", 10000, "linear")]
    [InlineData("""{"rope_parameters":{"rope_type":"linear","factor":4,"rope_theta":77}}""", 77, "linear")]
    [InlineData("""{"rope_theta":null,"rope_parameters":{"rope_theta":77,"rope_type":"default"}}""", 77, "default")]
    [InlineData("""{"rope_scaling":{"rope_type":"linear","factor":4},"rope_parameters":{"rope_type":"default","rope_theta":77}}""", 77, "linear")]
    [InlineData("""{"rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":256}}""", 10000, "yarn")]
    [InlineData("""{"rope_parameters":{"rope_type":"yarn","original_max_position_embeddings":256,"rope_theta":10000}}""", 10000, "yarn")]
    [InlineData("""{"rope_scaling":{"rope_type":"default"}}""", 10000, "default")]
    public void Read_Rope(string change, double theta, string expected)
    {
        var rope = expected switch
        {
            "linear" => RopeFrequencies.Linear(32, theta, 4),
            "yarn" => RopeFrequencies.Yarn(32, theta, new(4, 256)),
            _ => RopeFrequencies.Default(32, theta),
        };
        var actual = Read("llama", change).Rope;
        Assert.Equal(rope.InverseFrequencies, actual.InverseFrequencies);
        Assert.Equal(rope.AttentionScale, actual.AttentionScale);
    }

    [Theory]
    [InlineData("""{"final_logit_softcapping":null,"use_mrope":false,"attn_logit_softcapping":0,"suppress":[],"residual_multiplier":1.0}""")]
    [InlineData("""{"_name_or_path":"x","unsloth_fixed":true,"temperature":0.7,"architectures":["X"],"attention_dropout":0.1,"pretraining_tp":2}""")]
    public void Read_PassesOverWhatChangesNothing(string change) => Assert.Equal(64, Read("llama", change).HiddenSize);

    [Theory]
    [InlineData("llama", 2048)]
    [InlineData("qwen2", 32768)]
    [InlineData("qwen3", 32768)]
    [InlineData("mistral", 131072)]
    public void Read_AbsentPositions_AreTransformersDefault(string family, int expected) =>
        Assert.Equal(expected, Read(family, """{"max_position_embeddings":null}""").MaxPositions);

    [Theory]
    [InlineData("""{"rope_scaling":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":2048},"max_position_embeddings":2048}""", 8192)]
    [InlineData("""{"rope_scaling":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":256},"max_position_embeddings":2048}""", 2048)]
    [InlineData("""{"rope_scaling":{"rope_type":"dynamic","factor":2},"max_position_embeddings":2048}""", 4096)]
    [InlineData("""{"rope_scaling":{"rope_type":"linear","factor":2},"max_position_embeddings":2048}""", 2048)]
    public void Read_ScalingsStretchThePositions(string change, int expected) => Assert.Equal(expected, Read("llama", change).MaxPositions);

    [Theory]
    [InlineData("""{"eos_token_id":[3,5,3]}""", null, "3,5")]
    [InlineData("""{"eos_token_id":null}""", null, "")]
    [InlineData("""{"eos_token_id":3}""", """{"eos_token_id":[7,3]}""", "3,7")]
    [InlineData("""{"eos_token_id":3}""", """{"eos_token_id":9}""", "3,9")]
    [InlineData("""{"eos_token_id":3}""", """{"max_length":9}""", "3")]
    public void Read_EndTokens(string change, string? generation, string expected)
    {
        using var folder = new ScratchFolder();
        if (generation is not null) folder.Write("generation_config.json", generation);
        Assert.Equal(expected, string.Join(',', ModelConfigReader.Read(folder.Write("config.json", Config("llama", change, 2))).EosIds));
    }

    [Theory]
    [InlineData("""{"model_type":"gemma3"}""", "key 'model_type' is \"gemma3\"; allowed: llama, qwen2, qwen3, mistral, granite, phi3, smollm3")]
    [InlineData("""{"model_type":null}""", "key 'model_type' is missing; allowed: llama, qwen2, qwen3, mistral")]
    [InlineData("""{"hidden_act":"gelu"}""", "key 'hidden_act' is \"gelu\"; allowed: silu")]
    [InlineData("""{"hidden_size":null}""", "key 'hidden_size' is missing; allowed: a whole number from 2 to 1048576")]
    [InlineData("""{"hidden_size":"64"}""", "key 'hidden_size' is \"64\"; allowed: a whole number from 2 to")]
    [InlineData("""{"vocab_size":1}""", "key 'vocab_size' is 1; allowed: a whole number from 2 to")]
    [InlineData("""{"intermediate_size":1}""", "key 'intermediate_size' is 1; allowed: a whole number from 2 to")]
    [InlineData("""{"hidden_size":0}""", "key 'hidden_size' is 0; allowed")]
    [InlineData("""{"hidden_size":-64}""", "key 'hidden_size' is -64; allowed")]
    [InlineData("""{"hidden_size":1e30}""", "key 'hidden_size' is 1e30; allowed")]
    [InlineData("""{"hidden_size":66,"head_dim":null}""", "key 'hidden_size' is 66; allowed: a multiple of num_attention_heads (4), or head_dim given")]
    [InlineData("""{"hidden_size":4,"head_dim":null}""", "key 'hidden_size' is 4; allowed: an even head_dim")]
    [InlineData("""{"num_key_value_heads":3}""", "key 'num_key_value_heads' is 3; allowed: a divisor of num_attention_heads (4)")]
    [InlineData("""{"num_attention_heads":0}""", "key 'num_attention_heads' is 0; allowed")]
    [InlineData("""{"head_dim":33}""", "key 'head_dim' is 33; allowed: an even head_dim")]
    [InlineData("""{"num_hidden_layers":100000000}""", "key 'num_hidden_layers' is 100000000; allowed: a whole number from 1 to 1024")]
    [InlineData("""{"vocab_size":2000000000}""", "key 'vocab_size' is 2000000000; allowed")]
    [InlineData("""{"max_position_embeddings":1.5}""", "key 'max_position_embeddings' is 1.5; allowed")]
    [InlineData("""{"rms_norm_eps":0}""", "key 'rms_norm_eps' is 0; allowed")]
    [InlineData("""{"rms_norm_eps":1e999}""", "key 'rms_norm_eps' is 1e999; allowed")]
    [InlineData("""{"rope_theta":0}""", "key 'rope_theta' is 0; allowed")]
    [InlineData("""{"rope_theta":[10000]}""", "key 'rope_theta' is [10000]; allowed")]
    [InlineData("""{"rope_scaling":3}""", "key 'rope_scaling' is 3; allowed: an object, null")]
    [InlineData("""{"rope_scaling":{"type":"dynamic"}}""", "key 'rope_scaling.factor' is missing; allowed: a number from 1")]
    [InlineData("""{"rope_scaling":{"type":"dynamic","factor":2},"head_dim":2}""", "key 'rope_scaling.type' is \"dynamic\"; allowed: default, linear where heads turn 2 channels")]
    [InlineData("""{"rope_scaling":{"rope_type":"longrope"}}""", "key 'rope_scaling.rope_type' is \"longrope\"; allowed: default, linear, dynamic, llama3, yarn")]
    [InlineData("""{"rope_scaling":{"rope_type":"linear","factor":4,"alpha":1000}}""", "key 'rope_scaling.alpha' is 1000; it is not known here and may change what the model computes")]
    [InlineData("""{"final_logit_softcapping":30.0}""", "key 'final_logit_softcapping' is 30.0; it is not known here and may change what the model computes; allowed: null")]
    [InlineData("""{"residual_multiplier":0.22}""", "key 'residual_multiplier' is 0.22; it is not known here")]
    [InlineData("""{"no_rope_layers":[1,0]}""", "key 'no_rope_layers' is [1,0]; it is not known here")]
    [InlineData("""{"rope_scaling":{"rope_type":"linear"}}""", "key 'rope_scaling.factor' is missing; allowed: a number")]
    [InlineData("""{"rope_scaling":{"rope_type":"linear","factor":0}}""", "key 'rope_scaling.factor' is 0; allowed")]
    [InlineData("""{"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4}}""", "key 'rope_scaling.high_freq_factor' is 4; allowed: a number greater than low_freq_factor")]
    [InlineData("""{"rope_parameters":{"rope_type":"yarn","factor":4,"rope_theta":1}}""", "key 'rope_parameters.rope_theta' is 1; allowed: a number greater than 1")]
    [InlineData("""{"partial_rotary_factor":0.5}""", "key 'partial_rotary_factor' is 0.5; allowed: 1")]
    [InlineData("""{"tie_word_embeddings":"yes"}""", "key 'tie_word_embeddings' is \"yes\"; allowed: true, false")]
    [InlineData("""{"eos_token_id":160}""", "key 'eos_token_id' is 160; allowed: a whole number from 0 to 159, a list")]
    [InlineData("""{"eos_token_id":[1,"2"]}""", "key 'eos_token_id' is [1,\"2\"]; allowed")]
    [InlineData("""{"bos_token_id":-1}""", "key 'bos_token_id' is -1; allowed")]
    [InlineData("""{"dtype":"float64"}""", "key 'dtype' is \"float64\"; allowed: bfloat16, float16, float32")]
    [InlineData("""{"quantization_config":{"quant_method":"gptq","bits":4}}""", "key 'quantization_config.quant_method' is \"gptq\"; allowed: awq")]
    [InlineData("""{"quantization_config":{"quant_method":"awq","version":"gemm"}}""", "key 'quantization_config.bits' is missing; allowed: ")]
    public void Read_RefusesInOneLine(string change, string expected) =>
        Assert.Contains(expected, Refusal(Config("llama", change, 2)), StringComparison.Ordinal);

    [Theory]
    [InlineData("mistral", """{"sliding_window":0}""", "key 'sliding_window' is 0; allowed: a whole number from 1")]
    [InlineData("qwen2", """{"layer_types":["sliding_attention","full_attention"]}""", "key 'sliding_window' is missing; allowed: a whole number from 1")]
    [InlineData("qwen3", """{"sliding_window":4096,"use_sliding_window":false,"layer_types":["sliding_attention","full_attention"]}""", "key 'use_sliding_window' is false; allowed: true where layer_types has sliding_attention")]
    [InlineData("qwen2", """{"layer_types":["full_attention"]}""", "key 'layer_types' is [\"full_attention\"]; allowed: a list of 2 of")]
    [InlineData("qwen2", """{"layer_types":["chunked_attention","full_attention"]}""", "allowed: a list of 2 of full_attention, sliding_attention")]
    public void Read_RefusesWindowsInOneLine(string family, string change, string expected) =>
        Assert.Contains(expected, Refusal(Config(family, change, 2)), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "is not valid JSON")]
    [InlineData("[1]", "is a JSON array; allowed: an object")]
    [InlineData("""{"hidden_size":1,"hidden_size":2}""", "is not valid JSON")]
    [InlineData("""{"model_type":"\ud800"}""", "key 'model_type' is \"\\ud800\"")]
    public void Read_RefusesDamagedJson(string text, string expected) => Assert.Contains(expected, Refusal(text), StringComparison.Ordinal);

    [Fact]
    public void Read_RefusesDeepNesting() =>
        Assert.Contains("is not valid JSON", Refusal("""{"model_type":""" + new string('[', 200_000)), StringComparison.Ordinal);

    [Fact]
    public void Read_SurvivesDamage()
    {
        var valid = File.ReadAllBytes(TestData.Golden("models", "llama", "config.json"));
        var random = new Random(20253);
        using var folder = new ScratchFolder();
        var refused = 0;
        for (var round = 0; round < 1000; round++)
        {
            var damaged = random.Next(4) == 0 ? valid[..random.Next(valid.Length)] : valid.ToArray();
            for (var flips = 1; flips <= 3 && damaged.Length > 0; flips++)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                ModelConfigReader.Read(folder.Write("config.json", damaged));
            }
            catch (ConfigException error)
            {
                refused++;
                Assert.DoesNotContain('\n', error.Message);
            }
        }
        Assert.InRange(refused, 500, 1000);
    }

    private static ModelConfig Read(string family, string change, int layers = 2)
    {
        using var folder = new ScratchFolder();
        return ModelConfigReader.Read(folder.Write("config.json", Config(family, change, layers)));
    }

    private static string Config(string family, string change, int layers) => new TinyModel
    {
        Family = family,
        Layers = layers,
        Overrides = JsonNode.Parse(change)!.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value),
    }.Config().ToJsonString();

    private static string Refusal(string config)
    {
        using var folder = new ScratchFolder();
        var path = folder.Write("config.json", config);
        var error = Assert.Throws<ConfigException>(() => ModelConfigReader.Read(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }
}
