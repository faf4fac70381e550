using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvPareto.Cuda;

/// <summary>How the tiles of a product of many rows are shared out among clusters (many.cuh). From shapes, the number of clusters and the
/// room for parts of tiles alone, so that results are the same from run to run.</summary>
/// <param name="Tiles">Of outputs and tokens.</param>
/// <param name="Steps">Of a tile's columns.</param>
/// <param name="Clusters">At work.</param>
/// <param name="Each">Clusters of a tile, which put it together; 0 where who has its end does.</param>
/// <param name="EndSteps">Steps that the end of a tile takes about as long as; where tiles stay whole, 0.</param>
internal readonly record struct ManyShares(int Tiles, int Steps, int Clusters, int Each, int EndSteps)
{
    /// <summary>Clusters that put a tile together, at the most (MOST_SHARES).</summary>
    public const int MostOfTile = 8;

    /// <summary>Clusters at the most (MOST_CLUSTERS).</summary>
    public const int MostClusters = 80;

    private const int LeastColumns = 512; // of a tile's share
    private const int EndColumns = 256;   // that the end of a tile takes about as long as
    private const double LeastUse = 0.8;  // of the clusters, or steps are shared out evenly though tiles are few

    /// <summary>Equal shares of few tiles, one a cluster; steps shared out evenly where that leaves clusters idle, or where there are many
    /// tiles; whole tiles where there is no room for parts.</summary>
    /// <param name="kernel">Variant.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="columns">K.</param>
    /// <param name="clusters">That run at a time.</param>
    /// <param name="parts">Parts of tiles that there is room for.</param>
    /// <param name="keepsEqual">Equal shares are kept, be clusters idle.</param>
    public static ManyShares Of(in ManyKernel kernel, int tiles, int columns, int clusters, int parts, bool keepsEqual)
    {
        clusters = Math.Min(clusters, MostClusters);
        var steps = (columns + kernel.Inner - 1) / kernel.Inner;
        var each = Most(tiles, columns, Math.Min(clusters, parts));
        var isEven = parts >= clusters - 1 && (tiles >= clusters || (each > 1 && !keepsEqual && tiles * each < LeastUse * clusters));
        if (isEven) return new(tiles, steps, clusters, 0, EndColumns / kernel.Inner);
        return each > 1 ? new(tiles, steps, tiles * each, each, 0) : new(tiles, steps, Math.Min(tiles, clusters), 0, 0);
    }

    /// <summary>Equal shares of a tile, as far as there are clusters and columns.</summary>
    public static int Most(int tiles, int columns, int clusters) =>
        Math.Min(clusters / tiles, Math.Min(MostOfTile, columns / LeastColumns));

    /// <summary>Where a cluster's share begins: a tile, and one of its steps. That of the one behind the last is the end.</summary>
    public ManyBegin Begin(int cluster)
    {
        if (Each > 1) return new(cluster / Each, Steps * (cluster % Each) / Each);
        if (EndSteps == 0) return new((int)((long)Tiles * cluster / Clusters), 0);
        var cost = Steps + EndSteps;
        var total = (long)Tiles * cost;
        var at = (total / Clusters * cluster) + Math.Min(total % Clusters, cluster);
        var (tile, step) = ((int)(at / cost), (int)(at % cost));
        return step < Steps ? new(tile, step) : new(tile + 1, 0);
    }

    /// <summary>All of them.</summary>
    public ManyBegins Begins()
    {
        var begins = new ManyBegins();
        for (var i = 0; i <= Clusters; i++) begins[i] = Begin(i);
        return begins;
    }
}

/// <summary>Where clusters' shares begin.</summary>
[InlineArray(ManyShares.MostClusters + 1)]
internal struct ManyBegins
{
    private ManyBegin _first;
}

/// <summary>A tile, and fewer steps than it has.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ManyBegin(int Tile, int Step);
