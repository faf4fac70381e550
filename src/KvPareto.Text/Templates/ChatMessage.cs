namespace KvPareto.Text.Templates;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">system, user, assistant, …</param>
/// <param name="Content">Text of the turn.</param>
public sealed record ChatMessage(string Role, string Content);
