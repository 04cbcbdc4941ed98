// The paper's update (section 5), one pass over memory, in place:
//     v ← momentum · v − lr · (g + weight_decay · w)
//     w ← w + v
extern "C" __global__ void sgd_update(
    index_t total, real* weight, const real* grad, real* velocity, real lr, real momentum, real weight_decay)
{
    FOR_EACH(i, total) {
        real v = momentum * velocity[i] - lr * (grad[i] + weight_decay * weight[i]);
        velocity[i] = v;
        weight[i] += v;
    }
}
