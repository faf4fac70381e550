using System.CommandLine;
using KvPareto.Engine.Checkpoints.Sources;

namespace KvPareto.Cli.Shell;

/// <summary>What a shell may put in for a value, beside the names of files.</summary>
internal static class CompletionWords
{
    private const char Or = '|';

    private static readonly string[] Models = [.. EmbeddedModels.Names];

    /// <summary>Gives every value the words that its own help names: a choice such as <c>awq|rtn</c>, or the embedded models; and
    /// architectures where no weights are needed.</summary>
    public static RootCommand AddTo(RootCommand root)
    {
        foreach (var command in root.Subcommands)
        {
            foreach (var option in command.Options)
            {
                if (option.HelpName is not { } words) continue;
                if (words == "MODEL") option.CompletionSources.Add(Models);
                else if (words.Contains(Or, StringComparison.Ordinal)) option.CompletionSources.Add(words.Split(Or));
            }
            foreach (var argument in command.Arguments)
            {
                var words = argument.Name.Split(Or);
                if (!words.Contains("MODEL")) continue;
                argument.HelpName = argument.Name; // else help shows the words in its place
                argument.CompletionSources.Add(words.Contains("CONFIG") ? [.. Models, .. Architectures.Names] : Models);
            }
        }
        return root;
    }
}
