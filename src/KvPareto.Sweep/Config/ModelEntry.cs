namespace KvPareto.Sweep.Config;

/// <summary>One model of a config.</summary>
/// <param name="Name">Its name in results: <c>embedded:llama</c>, or a folder's own name unless another is given.</param>
/// <param name="Folder">Hugging Face folder.</param>
/// <param name="Place">File and line (or option) it comes from, for messages.</param>
public sealed record ModelEntry(string Name, string Folder, string Place);
