namespace KvPareto.Text.Templates.Jinja;

/// <summary>A template that cannot be parsed or rendered, or that refuses its input; carries the line, not the file.</summary>
internal sealed class JinjaException : Exception
{
    public JinjaException(string message, int line = 0) : base(message) => Line = line;

    /// <summary>Line within the template, from 1; 0 while not known.</summary>
    public int Line { get; private set; }

    /// <summary>The template called <c>raise_exception</c>.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>This exception with a line, where it has none yet.</summary>
    public JinjaException At(int line)
    {
        if (Line == 0) Line = line;
        return this;
    }
}
