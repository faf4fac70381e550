namespace KvPareto.Sweep.Search;

/// <summary>
/// Decides which of a model's settings are measured, and how far, before the others. What it decides follows from the points alone, so
/// that a sweep that was interrupted, or that several workers share, comes to the same decisions again; what it remembers of an earlier
/// question only spares it the work.
/// </summary>
internal interface ISearch
{
    /// <summary>What is needed next, given what is known by now.</summary>
    /// <param name="points">All settings of one model at one context, always in the same order, the baseline among them.</param>
    SearchStep Next(IReadOnlyList<SearchPoint> points);
}

/// <summary>What a search asks for, and what it does without.</summary>
/// <param name="Wishes">To be measured before it is asked again, in any order; none where it has come to its end.</param>
/// <param name="Dropped">Settings that are not measured any further, each with the reason.</param>
internal sealed record SearchStep(IReadOnlyList<SearchWish> Wishes, IReadOnlyList<SearchVerdict> Dropped);

/// <summary>Something to be measured of a setting; see the derived records.</summary>
/// <param name="Point">Index of the setting.</param>
internal abstract record SearchWish(int Point);

/// <summary>How far the setting's distributions lie from those of the unquantized model, over some of the tasks' prompts.</summary>
/// <inheritdoc/>
internal sealed record ProbeWish(int Point) : SearchWish(Point);

/// <summary>The first samples of each task, in the order of <see cref="SampleOrder"/>.</summary>
/// <param name="Point">Index of the setting.</param>
/// <param name="Counts">[tasks]: how many.</param>
internal sealed record PartWish(int Point, IReadOnlyList<int> Counts) : SearchWish(Point);

/// <summary>All samples.</summary>
/// <inheritdoc/>
internal sealed record WholeWish(int Point) : SearchWish(Point);

/// <summary>A setting that a search does without.</summary>
/// <param name="Point">Its index.</param>
/// <param name="Reason">Why, in one line.</param>
internal sealed record SearchVerdict(int Point, string Reason);
