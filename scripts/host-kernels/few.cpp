// Linear layers of few rows (linear.cu): inputs, a norm before, weights of one kind, several parts or a gated pair, bias or addition.
// Compiled with WEIGHT_BITS and GROUP.
#include "checks.hpp"

#define MOST_TEAMS 2
#define ELEMENT_STAGES 7
#define CODE_STAGES 5
#define MANY_STAGES 3

#include "linear.cu"

const bool AreCodes = WEIGHT_BITS < 16;

// Of inputs: whole numbers of 22 bits, or bf16.
const double Rounding = AreCodes ? 1e-5 : 1e-3;

// [N, K], with entries [K / GROUP, N].
struct Weight
{
    std::vector<u8> data;
    std::vector<u32> groups;
    WeightRows rows;

    Weight(int outputs, int columns) : data((size_t)outputs * columns * WEIGHT_BITS / 8 + 16), groups((size_t)columns / GROUP * outputs)
    {
        for (size_t i = 0; i + 1 < data.size(); i += 2)
        {
            u16 pair = AreCodes ? (u16)source() : host::float_to_bfloat(normal());
            memcpy(&data[i], &pair, sizeof pair);
        }
        for (u32& entry : groups) entry = any_entry(WEIGHT_BITS);
        int kind = WEIGHT_BITS == 4 ? WEIGHT_W4 : WEIGHT_BITS == 8 ? WEIGHT_W8 : WEIGHT_BF16;
        rows = { data.data(), groups.data(), kind, columns, GROUP, outputs };
    }

    double at(int output, int column) const
    {
        size_t index = (size_t)output * rows.columns + column;
        if (!AreCodes) return bits_as<float>((u32)((const u16*)data.data())[index] << 16);
        return number_of(data.data(), index, WEIGHT_BITS, groups[(size_t)(column / GROUP) * rows.rows + output]);
    }
};

static void launch(const LinearArguments& a, int blocks, bool isWide, bool isFar)
{
    const int Threads = AreCodes ? MOST_TEAMS * THREADS : THREADS;
    auto run = [&](void (*kernel)(LinearArguments)) { host::launch({ blocks, 1, 1 }, Threads, [&] { kernel(a); }); };
#define RUN_CODES(name) \
    { \
        if (a.rows <= 2 && a.prepared == nullptr) return run(name); \
        host::launch({ a.rows, 1, 1 }, Threads, [&] { name##_prepare(a); }); \
        return run(name##_many); \
    }
    if (WEIGHT_BITS == 16) return run(isFar ? linear_16_far : isWide ? linear_16_wide : linear_16);
    if (WEIGHT_BITS == 8 && GROUP % 64 == 0) RUN_CODES(linear_8_64)
    if (WEIGHT_BITS == 8) RUN_CODES(linear_8_32)
    if (GROUP % 128 == 0) RUN_CODES(linear_4_128)
    if (GROUP % 64 == 0) RUN_CODES(linear_4_64)
    RUN_CODES(linear_4_32)
}

static Checked check()
{
    bool isMany = AreCodes && below(2) == 0, isGated = below(3) == 0, isFar = !AreCodes && below(3) == 0;
    bool isNormed = !isFar && below(2) == 0, isWide = !isFar && below(2) == 0;
    int rows = isMany ? 1 + below(MOST_ROWS) : 1 + below(AreCodes ? 2 : MOST_ROWS), unit = AreCodes ? std::min(GROUP, 128) : 32;
    int chunks = isMany && below(2) == 0 ? 2 : 1, least = isFar ? ELEMENT_STAGES : chunks; // units of a warp
    int columns = std::max(GROUP, unit * 8 * least) * (1 + below(2));
    int parts = isGated ? 2 : 1 + below(PARTS), blocks = 1 + below(2);
    std::vector<Weight> weights;
    std::vector<std::vector<float>> ys, biases;
    std::vector<float> x(rows * columns), gains(columns);
    std::vector<u16> halves(rows * columns);
    for (int i = 0; i < rows * columns; i++)
    {
        halves[i] = host::float_to_bfloat(normal());
        x[i] = isWide ? normal() : bfloat_to_float(halves[i]);
    }
    for (float& gain : gains) gain = bfloat_to_float(host::float_to_bfloat(1 + normal() / 4));

    LinearArguments a {};
    a.x = { isWide ? (void*)x.data() : halves.data(), isWide ? F32 : BF16, columns };
    a.gain = isNormed ? gains.data() : nullptr;
    a.epsilon = 1e-5f;
    a.rows = rows;
    a.mode = isGated ? GATED : below(2) == 0 ? ADD : STORE;
    a.chunks = chunks;
    int outputs = 1 + below(70);
    for (int i = 0; i < parts; i++)
    {
        if (!isGated) outputs = 1 + below(70);
        weights.emplace_back(outputs, columns);
        ys.emplace_back(rows * outputs);
        biases.emplace_back(outputs);
        for (float& y : ys[i]) y = normal();
        for (float& bias : biases[i]) bias = normal();
    }
    auto before = ys;
    for (int i = 0; i < PARTS; i++)
    {
        if (i < parts)
        {
            outputs = weights[i].rows.rows;
            a.tiles += (outputs + OUTPUTS - 1) / OUTPUTS;
            const float* bias = below(2) == 0 ? nullptr : biases[i].data();
            a.parts[i] = { weights[i].rows, { ys[isGated ? 0 : i].data(), F32, outputs }, bias, outputs };
        }
        a.parts[i].endTile = a.tiles;
    }
    if (isGated) a.tiles = (outputs + OUTPUTS / 2 - 1) / (OUTPUTS / 2);
    int teams = AreCodes ? MOST_TEAMS : 1, tilesOfTeam = (a.tiles + teams * blocks - 1) / (teams * blocks);
    a.batch = chunks > 1 ? tilesOfTeam : 1 + below(3);
    std::vector<u8> prepared(isMany ? 1 << 20 : 0);
    a.prepared = isMany ? prepared.data() : nullptr;
    launch(a, blocks, isWide, isFar);

    double worst = 0;
    for (int row = 0; row < rows; row++)
    {
        std::vector<double> inputs(columns);
        double square = 0;
        for (int k = 0; k < columns; k++) square += (double)x[row * columns + k] * x[row * columns + k] / columns;
        for (int k = 0; k < columns; k++)
            inputs[k] = x[row * columns + k] * (isNormed ? gains[k] / std::sqrt(square + a.epsilon) : 1.0);
        auto sum_of = [&](int part, int n, double& magnitude)
        {
            double sum = a.parts[part].bias != nullptr ? a.parts[part].bias[n] : 0;
            for (int k = 0; k < columns; k++)
            {
                sum += inputs[k] * weights[part].at(n, k);
                magnitude += std::abs(inputs[k] * weights[part].at(n, k));
            }
            return sum;
        };
        for (int part = 0; part < (isGated ? 1 : parts); part++)
        {
            for (int n = 0; n < a.parts[part].outputs; n++)
            {
                double magnitude = 0, sum = sum_of(part, n, magnitude), allowed = Rounding * magnitude;
                if (isGated)
                {
                    double up = sum_of(1, n, magnitude);
                    allowed = Rounding * magnitude * (1 + std::abs(sum) + std::abs(up));
                    sum = sum / (1 + std::exp(-sum)) * up;
                }
                int place = row * a.parts[part].outputs + n;
                if (a.mode == ADD) sum += before[part][place];
                double difference = std::abs(ys[part][place] - sum) / (allowed + 1e-5);
                worst = difference <= INFINITY ? std::max(worst, difference) : INFINITY;
            }
        }
    }
    char call[200];
    snprintf(call, sizeof call, "%d rows, %d columns in %d chunks, %d parts, mode %d, blocks %d, norm %d, f32 %d, far %d",
        rows, columns, chunks, parts, a.mode, blocks, isNormed, isWide, isFar);
    return { 0, worst, call };
}

int main(int, char** arguments) { return run_checks(arguments, check); }
