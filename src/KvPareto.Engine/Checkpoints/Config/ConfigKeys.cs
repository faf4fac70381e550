using System.Collections.Frozen;
using KvPareto.Engine.Model.Families;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// The keys of a <c>config.json</c> that are read or that change nothing of the mathematics. Any other is refused by name, unless its value
/// says that nothing is changed (null, false, 0, empty): a model must not run as something that it is not.
/// </summary>
internal static class ConfigKeys
{
    private static readonly FrozenSet<string> Read = new[]
    {
        "model_type", "hidden_act", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "head_dim",
        "vocab_size", "max_position_embeddings", "original_max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling",
            "rope_parameters",
        "rope_interleaved", "tie_word_embeddings", "attention_bias", "mlp_bias", "sliding_window", "use_sliding_window",
            "max_window_layers",
        "layer_types", "dtype", "torch_dtype", "quantization_config", "bos_token_id", "eos_token_id", "partial_rotary_factor",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Multipliers =
        new[] { "embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling" }.ToFrozenSet(
            StringComparer.Ordinal);

    private static readonly FrozenSet<string> Unturned = new[]
        { "no_rope_layers", "no_rope_layer_interval" }.ToFrozenSet(StringComparer.Ordinal);

    // Of training, of other tools, of how answers are sampled, and notes.
    private static readonly FrozenSet<string> Harmless = new[]
    {
        "architectures", "auto_map", "use_cache", "initializer_range", "pretraining_tp", "attention_dropout", "attn_pdrop", "embd_pdrop",
            "resid_pdrop",
        "hidden_dropout", "dropout", "classifier_dropout", "pad_token_id", "sep_token_id", "unk_token_id", "mask_token_id",
            "decoder_start_token_id",
        "forced_bos_token_id", "forced_eos_token_id", "begin_suppress_tokens", "suppress_tokens", "bad_words_ids", "tokenizer_class",
        "torchscript", "use_bfloat16", "tf_legacy_loss", "output_attentions", "output_hidden_states", "output_scores", "return_dict",
        "return_dict_in_generate", "is_decoder", "is_encoder_decoder", "add_cross_attention", "cross_attention_hidden_size",
        "chunk_size_feed_forward", "pruned_heads", "tie_encoder_decoder", "problem_type", "task_specific_params", "finetuning_task",
            "id2label",
        "label2id", "num_labels", "prefix", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
        "encoder_no_repeat_ngram_size", "num_return_sequences", "remove_invalid_values", "exponential_decay_length_penalty",
            "max_new_tokens",
        "model_max_length", "max_sequence_length", "max_seq_len", "seq_length", "tokenizer_model_max_length", "tokenizer_padding_side",
        "gradient_checkpointing", "attn_implementation", "use_flash_attn", "flash_attn", "name", "model_name", "language", "license",
            "version",
        "tags", "library_name", "base_model", "original_model", "parent_model", "vocab_file", "neftune_noise_alpha",
        "transformers.js_config", "z_loss", "loss_type", "ignore_index", "bos_token", "eos_token", "pad_token", "is_llama_config",
        "hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout_prob", "embedding_dropout", "initializer_factor", "bf16",
            "fp16",
        "use_flash_attention", "flash_attention", "use_recompute", "trust_remote_code", "cache_implementation",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Factors: 1 is none. The first two are Phi-4-mini's, and no class reads them.
    private static readonly FrozenSet<string> NoneWhereOne =
        new[] { "full_attn_mod", "interpolate_factor", "rope_scaling_factor" }.Concat(Multipliers.Except(["attention_multiplier"]))
            .ToFrozenSet(StringComparer.Ordinal);

    // What other families' classes ask for by a key; Falcon 3 has the first.
    private static readonly FrozenDictionary<string, string[]> SaidAnyway = new Dictionary<string, string[]>
    {
        ["activation"] = ["swiglu", "silu"],
        ["position_embedding_type"] = ["rope", "rotary"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly string[] HarmlessPrefixes = ["_", "unsloth", "transformers_", "torch_", "tokenizer_", "training_", "pretrain"];

    private static readonly FrozenSet<string> Rope = new[]
    {
        "rope_type", "type", "factor", "rope_theta", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor", "beta_fast",
        "beta_slow", "truncate", "attention_factor", "mscale", "mscale_all_dim", "partial_rotary_factor", "short_factor", "long_factor",
            "finetuned",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Refuses a configuration with a key that this reader does not know.</summary>
    /// <exception cref="ConfigException">Names the first.</exception>
    public static void RefuseUnknown(JsonSection config, Family family)
    {
        foreach (var key in config.Keys)
        {
            if (Read.Contains(key) || Harmless.Contains(key) || config.IsNeutral(key)) continue;
            if (family.HasMultipliers && Multipliers.Contains(key)) continue;
            if (NoneWhereOne.Contains(key) && config.IsOne(key)) continue;
            if (SaidAnyway.TryGetValue(key, out var words) && config.IsWord(key, words)) continue;
            if (family.UnturnedInterval > 0 && Unturned.Contains(key)) continue;
            if (Array.Exists(HarmlessPrefixes, prefix => key.StartsWith(prefix, StringComparison.Ordinal))) continue;
            throw config.Unknown(key);
        }
        foreach (var section in new[] { config.Section("rope_scaling"), config.Section("rope_parameters") })
            if (section?.Keys.FirstOrDefault(key => !Rope.Contains(key) && !section.IsNeutral(key)) is { } key) throw section.Unknown(key);
    }
}
