using KvPareto.Engine.Rotary;

namespace KvPareto.Engine.Seam;

/// <summary>Checks of the shapes that ops take: an <see cref="ArgumentException"/> is a defect of the caller.</summary>
internal static class OpShapes
{
    public static void RequireRope(Step step, Tensor q, Tensor k, RopeTable table)
    {
        Require(q.RowCount == step.Count && k.RowCount == step.Count && q.ColumnCount % table.HeadDim == 0
            && k.ColumnCount % table.HeadDim == 0, "Rope: q and k are [T, G·D]");
        Require(table.HeadDim <= step.Workspace.Shape.Geometry.HeadDim, "Rope: the workspace was made for narrower heads");
    }

    public static void RequireAttention(Step step, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var g = step.Caches[0].Geometry;
        Require(q.RowCount == step.Count && q.ColumnCount == g.QueryHeads * g.HeadDim && y.RowCount == q.RowCount
            && y.ColumnCount == q.ColumnCount, "Attention: q and y are [T, Nq·D]");
        Require(k.RowCount == step.Count && k.ColumnCount == g.KvHeads * g.HeadDim && v.RowCount == k.RowCount
            && v.ColumnCount == k.ColumnCount, "Attention: k and v are [T, Nkv·D]");
    }

    public static void RequireNorm(Tensor x, Weight gain, Tensor h)
    {
        Require(x.RowCount == h.RowCount && x.ColumnCount == h.ColumnCount, "a norm's input and output have one shape");
        Require(x.ColumnCount == gain.ColumnCount, "a gain for each column");
    }

    public static void RequireSeveral(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        Require(weights.Length == ys.Length, "Linear: one y a weight");
        for (var i = 0; i < ys.Length; i++)
        {
            var fits = x.RowCount == ys[i].RowCount && x.ColumnCount == weights[i].ColumnCount && ys[i].ColumnCount == weights[i].RowCount;
            if (fits) continue;
            throw new ArgumentException(
                $"Linear {weights[i].Name}: x [{x.RowCount}, {x.ColumnCount}], w [{weights[i].RowCount}, {weights[i].ColumnCount}], y "
                    + $"[{ys[i].RowCount}, {ys[i].ColumnCount}]"); // written where it is needed: ops allocate nothing
        }
    }

    public static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException(message);
    }
}
