namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A picture cannot be drawn, which is like a file that cannot be written.</summary>
internal sealed class PictureException : IOException
{
    /// <summary>With what is missing.</summary>
    public PictureException(string message) : base(message) { }

    /// <summary>With what is missing, and why.</summary>
    public PictureException(string message, Exception inner) : base(message, inner) { }
}
