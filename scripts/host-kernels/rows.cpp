// A chunk's tokens: appended (cache.cu), attended by few or by many rows a block (attention.cu), parts of the context put together
// (merge.cu).
#include "caches.hpp"

namespace appending
{
#include "cache.cu"
}

namespace attending
{
#include "attention.cu"
}

namespace merging
{
#include "merge.cu"
}

static void append(appending::AppendArguments a, const Shape& shape, const CacheSide& keys, const CacheSide& values)
{
    using namespace appending;
    int granules[2], threads = 128;
    for (int side = 0; side < 2; side++)
    {
        const CacheSide& its = side == 0 ? keys : values;
        granules[side] = (its.coded_end(shape.length()) - its.coded_end(shape.start)) / its.granule;
        if (its.is_by_token()) a.byToken |= 1 << side;
    }
    int most = std::max(granules[0], granules[1]);
    if (a.caches->means != nullptr) host::launch({ a.heads, 1, 1 }, 2 * threads, [&] { freeze_means(a); });
    host::launch({ (most + TOKEN_WARPS - 1) / TOKEN_WARPS, a.heads, 2 }, threads, [&] { encode_tokens(a); });
    host::launch({ most, a.heads, 2 }, threads, [&] { encode_rows(a); });
    host::launch({ shape.rows, a.heads, 2 }, threads, [&] { keep_rows(a); });
}

static void attend(attending::AttentionArguments a, const Shape& shape)
{
    using namespace attending;
    bool isFew = shape.rows * shape.group <= 16 || below(3) == 0;
    int rows = isFew ? 16 : 64, blocks = (shape.rows * shape.group + rows - 1) / rows;
    host::launch({ blocks * a.splits, a.keyHeads, 1 }, THREADS, [&] { isFew ? attention_16(a) : attention_64(a); });
    if (a.splits == 1) return;
    auto merged = bits_as<merging::AttentionArguments>(a);
    host::launch({ shape.rows, (a.queryHeads + WARPS - 1) / WARPS, 1 }, THREADS, [&] { merging::merge_splits(merged); });
}

static Checked check()
{
    Shape shape = any_shape(below(2) * below(300), 1 + below(one_of({ 4, 50 })));
    CacheSide keys(shape, KEY_BITS, KEY_GROUP, KEY_BLOCK_TOKENS), values(shape, VALUE_BITS, VALUE_GROUP, VALUE_BLOCK_TOKENS);
    CacheSide keysBefore = keys, valuesBefore = values;
    int heads = shape.keyHeads, queryHeads = shape.queries();
    bool hasMeans = KEY_BITS < 16 && below(2) == 0;
    std::vector<uint16_t> means(heads * D);
    for (auto& x : means) x = host::float_to_half(normal());
    attending::LayerCache cache {};
    cache.keys = keys.as<attending::Side>();
    cache.values = values.as<attending::Side>();
    cache.means = hasMeans ? means.data() : nullptr;
    auto q = any_rows(shape.rows * queryHeads), k = any_rows(shape.rows * heads), v = any_rows(shape.rows * heads),
        y = any_rows(shape.rows * queryHeads);

    appending::AppendArguments appended { { k.data(), appending::BF16, heads * D }, { v.data(), appending::BF16, heads * D } };
    appended.caches = (const appending::LayerCache*)&cache;
    appended.starts = &shape.start;
    appended.rows = shape.rows;
    appended.sequences = appended.layers = 1;
    appended.width = D;
    appended.heads = heads;
    appended.rotation = shape.rotation;
    appended.fit = { 1 };
    append(appended, shape, keys, values);

    int part = 128 * (1 + below(3));
    attending::AttentionArguments a {
        { q.data(), attending::BF16, queryHeads * D }, { y.data(), attending::BF16, queryHeads * D }, &cache, &shape.start };
    a.rows = shape.rows;
    a.sequences = a.layers = 1;
    a.queryHeads = queryHeads;
    a.keyHeads = heads;
    a.window = shape.window;
    a.rotation = shape.rotation;
    a.splits = below(2) == 0 ? 1 : (shape.length() + part - 1) / part;
    a.splitTokens = part;
    a.scoreScale = 1 / std::sqrt((float)D);
    std::vector<float> partials((size_t)shape.rows * queryHeads * a.splits * (D + 2));
    a.partials = partials.data();
    attend(a, shape);

    auto row_of = [&](const std::vector<uint16_t>& rows, int row)
    {
        std::vector<double> x(D);
        for (int c = 0; c < D; c++) x[c] = bits_as<float>((unsigned)rows[row * D + c] << 16);
        return x;
    };
    auto fresh_key = [&](int row, int head)
    {
        auto x = row_of(k, row * heads + head);
        for (int c = 0; c < D && hasMeans; c++) x[c] -= host::half_to_float(means[head * D + c]);
        if (shape.rotation > 0) rotate(x);
        return x;
    };
    auto fresh_value = [&](int row, int head)
    {
        auto x = row_of(v, row * heads + head);
        if (shape.rotation == 2) rotate(x);
        return x;
    };
    double stored = std::max(
        stored_difference(keys, keysBefore, shape, fresh_key), stored_difference(values, valuesBefore, shape, fresh_value));
    for (int c = 0; c < heads * D && hasMeans && shape.start == 0; c++)
    {
        double mean = 0;
        for (int row = 0; row < shape.rows; row++) mean += row_of(k, row * heads + c / D)[c % D] / shape.rows;
        stored = std::max(stored, std::abs(mean - host::half_to_float(means[c])) / (0.001 * std::abs(mean) + 1e-5));
    }
    double results = 0;
    for (int i = 0; i < shape.rows * queryHeads; i++)
        results = std::max(results,
            result_difference(keys, values, shape, i / queryHeads, i % queryHeads, row_of(q, i), y.data() + i * D));
    return { stored, results, shape.words() };
}

int main(int, char** arguments) { return run_checks(arguments, check); }
