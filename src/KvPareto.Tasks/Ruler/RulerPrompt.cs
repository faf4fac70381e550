namespace KvPareto.Tasks.Ruler;

/// <summary>One question.</summary>
/// <param name="Text">What goes into the chat template as the user's turn.</param>
/// <param name="AnswerPrefix">How the answer begins: follows the template, and the prompt ends with it.</param>
/// <param name="Answers">All that a full answer names.</param>
internal sealed record RulerPrompt(string Text, string AnswerPrefix, IReadOnlyList<string> Answers);

/// <summary>Makes the questions of one kind.</summary>
internal abstract class RulerGenerator
{
    /// <summary>Smallest size that makes sense.</summary>
    public virtual int LeastSize => 1;

    /// <summary>Largest size there is material for.</summary>
    public virtual int MostSize => int.MaxValue;

    /// <summary>A question, which is a function of the streams and the size alone; what is asked does not depend on the size.</summary>
    /// <param name="streams">Streams of random choices by number, each from its beginning.</param>
    /// <param name="size">Words, sentences or the like that surround what is asked for.</param>
    public abstract RulerPrompt Make(Func<ulong, SampleRandom> streams, int size);
}
