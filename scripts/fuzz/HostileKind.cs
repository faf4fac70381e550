namespace Fuzz;

/// <summary>A kind of input from outside. Each input follows from the seed and its number alone, so that one can be made again.</summary>
internal abstract class HostileKind
{
    /// <summary>All kinds; another is one more class here.</summary>
    public static IReadOnlyList<HostileKind> All { get; } =
    [
        new Templates(), new Patterns(), new Tokenizers(), new TokenizerSettingsFiles(), new Texts(), new SafeTensorsFiles(),
            new GgufFiles(), new ConfigFiles(), new AwqFolders(),
    ];

    /// <summary>Name on the command line and in the counts.</summary>
    public abstract string Name { get; }

    /// <summary>Makes one input and lets the engine have it; what the engine throws goes through.</summary>
    /// <param name="random">Source of the input.</param>
    /// <param name="folder">An empty folder.</param>
    public abstract void Run(Random random, string folder);

    /// <summary>One of several.</summary>
    protected static T Pick<T>(Random random, params ReadOnlySpan<T> from) => from[random.Next(from.Length)];

    /// <summary>True with a chance of one in <paramref name="times"/>.</summary>
    protected static bool Rarely(Random random, int times) => random.Next(times) == 0;
}
