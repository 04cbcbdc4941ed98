// Dropout (paper, section 4.2), inverted: y = x · m / (1 − p), m = 1 where a random number in [0, 1) is at least p, else 0.
//
// The random numbers are those of Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// 2011), in the order in which NumPy's generator of that name hands out float32: ten rounds of multiplication turn
// (counter, key) into 256 random bits, eight numbers. There is no state, so every thread computes its own numbers, the CPU
// draws the same ones, and the backward pass computes the forward pass's mask again instead of reading it from memory.
__device__ inline void philox(unsigned long long counter, unsigned long long key, unsigned long long* word)
{
    unsigned long long k0 = key, k1 = 0;
    word[0] = counter;
    word[1] = word[2] = word[3] = 0;
    for (int round = 0; round < 10; ++round) {
        unsigned long long high0 = __umul64hi(0xD2E7470EE14C6C93ULL, word[0]), low0 = 0xD2E7470EE14C6C93ULL * word[0];
        unsigned long long high2 = __umul64hi(0xCA5A826395121157ULL, word[2]), low2 = 0xCA5A826395121157ULL * word[2];
        word[0] = high2 ^ word[1] ^ k0;
        word[1] = low2;
        word[2] = high0 ^ word[3] ^ k1;
        word[3] = low0;
        k0 += 0x9E3779B97F4A7C15ULL;
        k1 += 0xBB67AE8584CAA73BULL;
    }
}

// One thread per eight neighbouring elements, for which one call of philox is enough. NumPy counts from 1.
extern "C" __global__ void dropout(
    index_t total, const real* x, real* y, index_t size, unsigned long long key, unsigned long long first, float p, real scale)
{
    FOR_EACH(i, total) {
        unsigned long long word[4];
        philox((unsigned long long)i + first / 8 + 1, key, word);
        index_t start = 8 * i - (index_t)(first % 8);  // the array begins within these eight when `first` does
        for (int n = 0; n < 8; ++n) {
            index_t j = start + n;
            if (j < 0 || j >= size) continue;
            unsigned half = (unsigned)(word[n / 2] >> (n % 2 ? 32 : 0));
            float drawn = (half >> 8) * (1.0f / 16777216);  // 24 bits are what a float holds
            y[j] = x[j] * (drawn >= p ? scale : 0);
        }
    }
}
