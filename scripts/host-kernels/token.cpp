// A token's attention, with what appends it and puts parts together (decode.cu).
#include "caches.hpp"
#include "decode.cu"

// A head's row as it was given, turned as far as it is.
static std::vector<double> turned_row(const u16* given, const TurnArguments& turn, bool isTurned)
{
    std::vector<double> row(D);
    for (int i = 0; i < D / 2; i++)
    {
        float low = bfloat_to_float(given[i]), high = bfloat_to_float(given[D / 2 + i]);
        float angle = turn.positions[0] * turn.frequencies[i], sine = isTurned ? sinf(angle) : 0, cosine = isTurned ? cosf(angle) : 1;
        row[i] = turned(low, high, cosine, -sine);
        row[D / 2 + i] = turned(high, low, cosine, sine);
    }
    return row;
}

static Checked check()
{
    Shape shape = any_shape(below(one_of({ 40, 400, 1200 })), 1);
    CacheSide keys(shape, KEY_BITS, KEY_GROUP, KEY_BLOCK_TOKENS), values(shape, VALUE_BITS, VALUE_GROUP, VALUE_BLOCK_TOKENS);
    if (KEY_BITS < 16 && below(8) == 0) keys.entries[below(shape.keyHeads * keys.groups)] = 0xffc0; // NaN, which results have to show
    CacheSide keysBefore = keys, valuesBefore = values;
    LayerCache cache {};
    cache.keys = keys.as<Side>();
    cache.values = values.as<Side>();
    int heads = shape.keyHeads, queryHeads = shape.queries(), parts = 1 + below(4), splits = parts + 2;
    u32 serial = 7;
    auto q = any_rows(queryHeads), k = any_rows(heads), v = any_rows(heads), y = any_rows(queryHeads);
    std::vector<TaggedPair> partials(queryHeads * splits * (D / 2 + 1));

    TokenArguments t {};
    AttentionArguments& a = t.attention;
    a = { { q.data(), BF16, queryHeads * D }, { y.data(), BF16, queryHeads * D }, &cache, &shape.start, (float*)partials.data() };
    a.rows = a.sequences = a.layers = 1;
    a.queryHeads = queryHeads;
    a.keyHeads = heads;
    a.window = shape.window;
    a.rotation = shape.rotation;
    a.splits = splits;
    a.parts = parts;
    a.scoreScale = 1 / std::sqrt((float)D);
    AppendArguments& append = t.turn.append;
    append = { { k.data(), BF16, heads * D }, { v.data(), BF16, heads * D }, &cache, &shape.start };
    append.rows = append.sequences = append.layers = 1;
    append.width = D;
    append.heads = heads;
    append.rotation = shape.rotation;
    append.fit = { 1 };
    t.turn.q = a.q;
    t.turn.positions = &shape.start;
    t.turn.queryHeads = queryHeads;
    t.turn.scale = 1;
    for (int i = 0; i < D / 2; i++) t.turn.frequencies[i] = (float)std::pow(10000, -2.0 * i / D);
    // Else the row is in the cache already.
    t.turns = values.is_by_token() && (KEY_GROUP == 0 || keys.is_by_token()) && below(4) > 0;
    t.serial = &serial;
    host::launch({ splits, heads, 1 }, THREADS, [&] { attend_token(t); });
    host::launch({ splits, heads, 1 }, THREADS, [&] { merge_parts(t); });

    double stored = 0, results = 0;
    for (int side = 0; side < 2 && t.turns; side++)
    {
        auto fresh = [&](int, int head)
        {
            auto row = turned_row((side == 0 ? k : v).data() + head * D, t.turn, side == 0);
            if (shape.rotation > side) rotate(row);
            return row;
        };
        stored = std::max(stored, stored_difference(side == 0 ? keys : values, side == 0 ? keysBefore : valuesBefore, shape, fresh));
    }
    for (int h = 0; h < queryHeads; h++)
        results = std::max(results,
            result_difference(keys, values, shape, 0, h, turned_row(q.data() + h * D, t.turn, t.turns), y.data() + h * D));
    return { stored, results, shape.words() };
}

int main(int, char** arguments) { return run_checks(arguments, check); }
