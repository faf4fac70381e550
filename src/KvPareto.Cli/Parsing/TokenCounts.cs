using System.CommandLine;
using KvPareto.Engine.Memory;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Parsing;

/// <summary>Numbers of tokens as users write them: 10000 or 10k, k standing for 1,000.</summary>
internal static class TokenCounts
{
    /// <summary>Most tokens of a prompt or an answer whose memory is predicted.</summary>
    public const int Most = MemoryModel.MostTokens / 2;

    /// <summary>Tokens generated after a prompt.</summary>
    public static Option<int> NewTokensOption() => new("--new-tokens")
    { Description = "Tokens generated after the prompt.", HelpName = "N", DefaultValueFactory = _ => 128 };

    /// <summary>What that option says.</summary>
    /// <exception cref="ConfigException">It is less than 1 or too many.</exception>
    public static int NewTokens(int given) =>
        given is >= 1 and <= Most ? given : throw new ConfigException($"--new-tokens {given}; allowed: 1 to {Most}");

    /// <summary>Reads a list such as <c>10k,32k,131072</c>.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="text">What was written.</param>
    /// <param name="most">Largest number allowed.</param>
    /// <exception cref="ConfigException">An item is no number from 1 to <paramref name="most"/>.</exception>
    public static IReadOnlyList<int> Parse(string option, string text, int most) => [.. text.Split(',').Select(item =>
    {
        return ContextText.TryParse(item.Trim(), most) ?? throw new ConfigException(
            $"{option} '{item}'; allowed: numbers of tokens from 1 to {most}, joined by commas, k for 1,000: 10k,32k,131072");
    })];
}
