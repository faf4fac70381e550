using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Hub;

/// <summary>A repository of a Hugging Face hub.</summary>
/// <param name="Id">Owner and name, <c>ORG/NAME</c>, or a name alone.</param>
/// <param name="IsDataset">Data set rather than model.</param>
internal sealed partial record HubRepository(string Id, bool IsDataset)
{
    private const string DatasetPrefix = "datasets/";
    private const string Allowed = "ORG/NAME, or datasets/ORG/NAME for data sets, of letters, digits, '-', '_' and '.'";

    /// <summary>Path of its description.</summary>
    public string ApiPath => $"api/{(IsDataset ? "datasets" : "models")}/{Id}";

    /// <summary>Path that its files are under.</summary>
    public string FilePath => IsDataset ? DatasetPrefix + Id : Id;

    /// <summary>Its folder in the hub's cache.</summary>
    public string FolderName => $"{(IsDataset ? "datasets" : "models")}--{Id.Replace("/", "--", StringComparison.Ordinal)}";

    /// <summary>Reads what a user typed.</summary>
    /// <exception cref="ConfigException">It is no repository's name.</exception>
    public static HubRepository Parse(string text)
    {
        var isDataset = text.StartsWith(DatasetPrefix, StringComparison.Ordinal);
        var id = isDataset ? text[DatasetPrefix.Length..] : text;
        return IdPattern().IsMatch(id) && !id.Contains("..", StringComparison.Ordinal) && !id.Contains("--", StringComparison.Ordinal)
            ? new(id, isDataset)
            : throw new ConfigException($"'{OneLine.Of(text)}' is no repository; allowed: {Allowed}");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?\z")]
    private static partial Regex IdPattern();
}
