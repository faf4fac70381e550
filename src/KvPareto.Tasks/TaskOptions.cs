using KvPareto.Text.Input;

namespace KvPareto.Tasks;

/// <summary>What a config says of one task.</summary>
public abstract record TaskOptions
{
    /// <summary>Name in results; null for the task's own. Key <c>name</c>.</summary>
    public string? Name { get; init; }

    /// <summary>Checks what can be checked without the files.</summary>
    /// <exception cref="ConfigException">Names the key and what is allowed.</exception>
    public abstract void Validate();

    /// <summary>Makes the task, which reads its data.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or the data are damaged.</exception>
    public abstract EvaluationTask Create();

    /// <summary>
    /// The same task with prompts of at most <paramref name="tokens"/> tokens, nearly filled, whatever lengths these options say; null
    /// where the data have lengths of their own.
    /// </summary>
    public virtual TaskOptions? AtLength(int tokens) => null;
}
