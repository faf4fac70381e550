using KvPareto.Engine;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Tests.Search;

/// <summary>What a search remembers, and sums that go on from what is known, change no decision.</summary>
public class PredictCourseTests
{
    private const int Settings = 40;
    private const int Samples = 16;

    public static TheoryData<int, string> Searches()
    {
        var data = new TheoryData<int, string>();
        for (var seed = 0; seed < 6; seed++)
            foreach (var search in (string[])["predict", "{kind: predict, batch: 3, gain: 0.1}", "{kind: predict, levels: 0, margin: -1}"])
                data.Add(seed, search);
        return data;
    }

    /// <summary>Some settings fail when they are measured, some have more measured than was asked for, and a sample is measured anew: one
    /// search that is asked all along says what another says that is asked for the first time.</summary>
    [Theory]
    [MemberData(nameof(Searches))]
    public void Next_SaysWhatASearchSaysThatRemembersNothing(int seed, string text)
    {
        var random = new SplitMix64((ulong)seed);
        var options = SearchReader.Parse(text, seed);
        var (search, known) = (options.Create(), Known(ref random));
        for (var (round, isOver) = (0, false); !isOver; round++)
        {
            Assert.True(round < 10 * Settings, "no end");
            var step = search.Next(Points(known));
            Assert.Equal(Words(options.Create().Next(Points(known))), Words(step));
            Assert.Equal(Words(step), Words(search.Next(Points(known))));
            foreach (var wish in step.Wishes) known[wish.Point].Show(wish, hasFailed: wish.Point > 0 && random.Below(12) == 0);
            if (random.Below(4) == 0) known[random.Below(Settings)].Show(new PartWish(0, [Samples / 2]), hasFailed: false);
            if (round == 10) known[0].Right = "0" + known[0].Right[1..];
            isOver = step.Wishes.Count == 0;
        }
    }

    [Fact]
    public void KnownFrontier_GoesByTheHypervolumeToTheBit()
    {
        var random = new SplitMix64(1);
        double Volume(IEnumerable<(long, double)> points) =>
            Hypervolume.Compute([.. points.Select(point => new[] { point.Item1, point.Item2 })], [105, 0], [false, true]);
        for (var round = 0; round < 200; round++)
        {
            var known = new List<(long PeakBytes, double Score)>();
            while (known.Count < round / 5) known.Add((random.Below(100), random.Below(33) / 0.33));
            var frontier = new KnownFrontier(known, 105);
            Assert.Equal(Volume(known), frontier.Reached);
            var (peak, score) = ((long)random.Below(100), random.Below(1000) / 10.0);
            var best = known.Where(point => point.PeakBytes <= peak).Select(point => point.Score).DefaultIfEmpty(0).Max();
            Assert.Equal(
                (best, known.FindIndex(point => point.PeakBytes <= peak && point.Score == best)), frontier.BestWithin(peak));
            // The mean of 20 equal numbers, of which the sum may be rounded.
            var gain = score <= best ? 0 : Volume([.. known, (peak, score)]) - frontier.Reached;
            Assert.Equal(Enumerable.Repeat(gain, 20).Average(), frontier.ExpectedGain(peak, new(score, 0)));
        }
    }

    private static KnownSetting[] Known(ref SplitMix64 random)
    {
        var known = new KnownSetting[Settings];
        for (var i = 0; i < Settings; i++)
        {
            var divergence = Math.Pow(10, -4 + random.Below(40) / 10.0);
            var right = new char[Samples];
            foreach (ref var letter in right.AsSpan()) letter = random.Below(100) < 95 / (1 + 2 * divergence) ? '1' : '0';
            known[i] = new(i, 1000 - 20 * (int)(10 * divergence) % 400 - 25 * random.Below(12), divergence) { Right = new(right) };
        }
        return known;
    }

    private static SearchPoint[] Points(KnownSetting[] known) => [.. known.Select(one => one.Point())];

    private static IEnumerable<string> Words(SearchStep step) =>
    [
        .. step.Wishes.Select(wish => $"{wish.GetType().Name} {wish.Point} {string.Join(' ', (wish as PartWish)?.Counts ?? [])}"),
        .. step.Dropped.Select(verdict => $"{verdict.Point} {verdict.Reason}"),
    ];

    private sealed class KnownSetting(int index, int peak, double divergence)
    {
        private PointState _state;
        private bool _isProbed;
        private int _seen;

        /// <summary>[samples]: whether the answers are right.</summary>
        public required string Right { get; set; }

        public SearchPoint Point() => SomePoint.Of(
            index == 0 ? "w16a16-k16v16" : $"w16a16-k8v8-t64-c{index}", peak, Right[.._seen], Samples, _state, index == 0,
            _isProbed ? divergence : null);

        public void Show(SearchWish wish, bool hasFailed)
        {
            if (wish is ProbeWish) _isProbed = true;
            else if (hasFailed) _state = PointState.Failed;
            else if (wish is WholeWish) (_state, _seen) = (PointState.Measured, Samples);
            else _seen = Math.Max(_seen, ((PartWish)wish).Counts[0]);
        }
    }
}
