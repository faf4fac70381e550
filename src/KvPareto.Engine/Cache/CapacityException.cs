namespace KvPareto.Engine.Cache;

/// <summary>A sequence is longer than what was set aside for it.</summary>
/// <param name="message">What there is, and what was asked for.</param>
public sealed class CapacityException(string message) : Exception(message);
