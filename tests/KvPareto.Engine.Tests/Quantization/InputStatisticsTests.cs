using KvPareto.Engine.Quantization;

namespace KvPareto.Engine.Tests.Quantization;

public class InputStatisticsTests
{
    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(128)]
    public void Add_SumsMagnitudesAndMoments(int group)
    {
        const int Columns = 256;
        var random = new Random(2);
        var statistics = new InputStatistics(Columns, group);
        var rows = new List<float[]>();
        foreach (var count in (int[])[1, 7, 300])
        {
            var x = new float[count * Columns];
            for (var i = 0; i < x.Length; i++) x[i] = random.NextSingle() * 2 - 1;
            statistics.Add(x, count);
            rows.AddRange(x.Chunk(Columns));
        }
        for (var k = 0; k < Columns; k++) Assert.Equal(rows.Average(row => Math.Abs(row[k])), statistics.Magnitudes[k], 1e-5);
        for (var index = 0; index < Columns / group; index++)
            for (var i = 0; i < group; i += 5)
                for (var j = 0; j < group; j++)
                    Assert.Equal(
                        rows.Sum(row => (double)row[index * group + i] * row[index * group + j]), statistics.Moments(index)[i * group + j],
                            1e-3);
    }
}
