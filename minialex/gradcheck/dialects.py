"""What courses call things: the one table of dialects. To teach the checker another dialect, add a word to a line.

Names are compared in lower case and without underscores: dW, d_w and D_W are one word, and so are backward_pass and
backwardPass.
"""
import re

import numpy as np


def plain(name):
    """Lower case, without underscores; of a private attribute, _Dense__dW, what its class calls it."""
    return re.sub(r"^_[A-Za-z]\w*?__", "", str(name)).lower().replace("_", "")


def _words(text):
    """{plain word: its rank}: the first ones are preferred."""
    return {plain(word): rank for rank, word in reversed(list(enumerate(text.split())))}


# ------------------------------------------------------------------------------------------------ functions and methods

# A backward that is called so takes dout; a derivative may also be f'(x), or f' of the output.
FORWARD = _words("forward fprop forward_pass forward_propagate forward_propagation forward_prop feedforward feed_forward fp fwd "
                 "propagate propagate_forward compute compute_output call __call__ evaluate apply activate activation activ "
                 "function func fn f calculate calc transform loss compute_loss calc_loss value ff cost eval run")
BACKWARD = _words("backward bprop backward_pass backpropagate backpropagation backprop back_propagate back_propagation "
                  "backward_propagate backward_propagation backward_prop back_prop bp bwd back backward_delta backpass "
                  "propagate_backward")
DERIVATIVE = _words("gradient grad gradients derivative derivate deriv prime f_prime df fprime fn_prime der diff dfn "
                    "compute_gradient calculate_gradient loss_gradient loss_prime dloss activation_derivative get_gradient "
                    "gradient_input input_gradient calc_gradient activation_prime derivative_function df_dx f_deriv grad_fn "
                    "f_derivative f_grad dactivation deactivate d calc_grad compute_grad loss_grad loss_derivative activ_prime")
MORE_GRADIENTS = _words("backward_update_gradient update_gradient backward_weights compute_gradients backward_params "
                        "calc_grads accumulate_gradients param_grad gradient_params compute_param_gradients")
TRIMMED = _words("alt fast naive vectorized im2col slow loop v2 strides reshape simple np numpy batch vec")
TESTS = _words("numerical numeric check checking test tests plot print compare verify show visualize")  # never a layer
NO_LAYER = _words("descent clip update train sgd adam step optimizer estimate approx zero norm draw set momentum history "
                  "schedule reset init apply flow")  # with a word for a derivative in the name

# ------------------------------------------------------------------------------------------------ arguments

ROLES = {
    "x": "x input inputs inp image images img a_prev data z s in_data features x_in input_data in x_t xt a net tensor act prev "
         "x_batch input_tensor input_val in_val array arr a0 input_array layer_input inputs_data feature inputs_tensor",
    "w": "w weight weights kernel kernels filter filters theta w1 weight_matrix wts",
    "b": "b bias biases b1 intercept",
    "gamma": "gamma scale g",
    "beta": "beta shift",
    "labels": "y t label labels target targets classes y_true truth target_index true y_batch ground_truth actual y_actual "
              "expected desired labels_true gt true_labels answer onehot y_onehot one_hot expected_output target_output tgt",
    "scores": "scores logits y_pred pred prediction predictions yhat y_hat output predicted outputs out al y_predicted "
              "y_prediction pred_y predict y_out network_output model_output",
    "probs": "probs p probabilities prob",
    "h": "h prev_h h_prev h0 hprev previous_h hidden prev_hidden hidden_state h_0 h_in h_t_prev",
    "c": "c prev_c c_prev c0 cprev previous_c cell cell_state",
    "wx": "wx wax w_xh wxh w_ih wih u",
    "wh": "wh waa w_hh whh",
    "mask": "mask",
    "h_model": "h_model wh1",
}
ROLE = {plain(word): role for role, line in ROLES.items() for word in line.split()}

DOUT = re.compile(r"^(d|g|up)($|_|[A-Z0-9])|^d[a-z]*$|grad|^delta|delta$|upstream|cotangent|^err|error$|diff$|sensitivity|"
                  r"^d(next|prev|out|last|hidden|cell)_?\w*$|^partial|^next_d|^accum|^top$|^eta$|^loss_derivative$|^djd|^dl_?d")
OUTPUTS = _words("y out output outputs a activation activations z result y_hat yhat y_pred pred prediction h top next_h h_next "
                 "act probs scores logits a_out z_out loss value")
CACHE = _words("cache caches ctx context saved memory tape store state intermediate intermediates")
INPUT_GRADIENTS = _words("dx dinputs dinput d_input grad_input gradinput input_gradient input_grad grad_x dinp delta_x d_x din "
                         "dvalues derivatives dlogits grad_in gradient dz delta bottom_diff dldx dl_dx dlda dldz grad_inputs "
                         "input_gradients dh da dpred dscores grad dout_prev dy_pred error dl_dinput dA_prev")

# ------------------------------------------------------------------------------------------------ sizes and options

LETTERS = {
    "D": "n_in in_features input_size input_dim n_inputs in_dim fan_in in_size dim_in nin n_x d_in num_inputs inputs_n "
         "n_input input_features num_features n_features num_input input_units in_nodes input_nodes d dim input_shape "
         "vec_dim feature_dim size_in input_length in_units n_input_nodes num_in inputs inputs_size features normalized_shape "
         "embedding_dim embed_dim d_model idim n_input_neurons input_neurons inode input_layer_size numinputs nodes_in",
    "M": "n_out out_features output_size output_dim n_outputs out_dim fan_out out_size dim_out nout n_y d_out num_outputs "
         "n_output output_features num_output output_units out_nodes output_nodes units n_units n_neurons neurons num_neurons "
         "n_nodes nodes size_out num_units output_length out_units n_output_nodes num_out outputs outputs_size odim "
         "num_nodes n_output_neurons output_neurons onode output_layer_size numoutputs nodes_out nb_neurons",
    "J": "n_hidden hidden_size hidden_dim n_h h_dim hidden num_hidden hidden_units hidden_nodes n_hidden_nodes hidden_neurons "
         "nh hnode n_hidden_neurons hidden_layer_size hidden_features hid_dim",
    "Q": "num_classes n_classes classes class_num nb_classes num_class n_class",
    "C": "in_ch in_channels c_in input_channels channels num_channels n_channels input_depth in_channel channel in_depth "
         "num_input_channels in_planes n_c_prev",
    "F": "out_channels num_filters n_filters filters out_depth depth c_out num_kernels out_channel out_ch output_channels "
         "n_kernels filter_num num_output_channels out_planes nb_filters n_c",
    "K": "kernel_size filter_size ksize k kernel field kernel_dim kernel_height kernel_width filter_height filter_width fh fw kh "
         "kw size_kernel filter_dim hh ww",
    "P": "pool_size pool_height pool_width pool_h pool_w window pool window_size size f",
    "N": "batch_size m_examples batch",
    "V": "vocab_size num_embeddings vocabulary_size input_vocab n_vocab",
    "T": "timesteps seq_len time_steps seq_length t_steps length",
}
LETTER = {plain(word): letter for letter, line in LETTERS.items() for word in line.split()}

LISTS = _words("sizes layer_sizes layer_dims layers_dims layers_size dims layer_dimensions architecture layers_sizes "
               "nn_architecture layers units_per_layer structure shape network_structure layer_size topology hidden_dims "
               "hidden_sizes")
SHAPES = _words("input_shape in_shape input_size input_dim shape")  # of a constructor: the shape of a picture, C×H×W
PAIRS = _words("pool_size window_size window pool")  # may be two numbers
LEARNING_RATE = _words("lr learning_rate eta alpha rate step_size learn_rate learningrate l_rate")

GEOMETRY = {plain(word): what for what, line in {
    "window": "pool_size pool_height pool_width pool_h pool_w window window_size kernel_size ksize k size f filter_size field "
              "pool kernel_height kernel_width kh kw ph pw pool_dim hh ww",
    "stride": "stride strides s stride_h stride_w step",
    "pad": "pad padding pad_width zero_padding padding_size pad_h pad_w",
}.items() for word in line.split()}

_OPTIONS = {  # options without a default of their own; a list: alternatives, tried in turn
    "p": 0.5, "rate": 0.5, "ratio": 0.5,
    "dropout": 0.5, "keep_prob": 0.5, "drop_prob": 0.5, "dropout_ratio": 0.5, "dropout_rate": 0.5, "prob": 0.5, "eps": 1e-5,
    "epsilon": 1e-5, "slope": 0.1, "alpha": 0.1, "negative_slope": 0.1, "n": 5, "axis": 1,
    "training": True, "train": True, "is_training": True, "train_flg": True, "mode": ["train", "max", "average"], "seed": 0,
    "reg": 0.1, "lambd": 0.1, "lambda_": 0.1, "weight_decay": 0.1, "l2": 0.1, "reg_lambda": 0.1, "momentum": 0.9, "delta": 1.0,
    "weight_init_std": 0.5, "weight_scale": 0.5, "std": 0.5, "name": "layer", "groups": 3, "num_groups": 3, "g": 3,
    "activation": ["relu", "sigmoid", "tanh"], "act": ["relu", "sigmoid", "tanh"], "nonlinearity": "relu",
    "activation_function": ["relu", "sigmoid", "tanh"], "activation_name": ["relu", "sigmoid", "tanh"],
    "conv_param": {"stride": 2, "pad": 1}, "pool_param": {"pool_height": 3, "pool_width": 3, "stride": 2},
    "bn_param": {"mode": "train", "eps": 1e-5, "momentum": 0.9}, "ln_param": {"eps": 1e-5}, "gn_param": {"eps": 1e-5},
    "dropout_param": {"mode": "train", "p": 0.5, "seed": 0}, "hparameters": {"stride": 2, "pad": 1, "f": 3},
    "lr": 1.0, "learning_rate": 1.0, "eta": 1.0, "optimizer": None, "reg_strength": 0.1,
    "kernel_shape": (3, 3), "rng": [np.random.default_rng(0), np.random.RandomState(0)], "verbose": False,
    "debug": False, "use_bias": True,
    "drop_rate": 0.5,
}
OPTIONS = {plain(name): value for name, value in _OPTIONS.items()}
FUNCTIONS = {plain(word): function for function, line in {  # where a constructor wants an activation and its derivative
    np.sin: "activation activation_fn activation_func activation_function func function act f",
    np.cos: "activation_prime activation_derivative activation_derivative_fn activation_grad d_activation activation_deriv "
            "prime derivative f_prime activation_function_prime"}.items() for word in line.split()}

# ------------------------------------------------------------------------------------------------ where gradients lie

CONTAINERS = _words("params parameters param grads gradients gradient grad param_grads weights_grads self _params _grads state "
                    "data value val tensor array learnable trainable")
OF_GRADIENTS = _words("grads gradients gradient grad derivatives paramgrads dparams gradparams")
BEFORE = ("gradients", "gradient", "grads", "grad", "derivative", "dloss", "dlossd", "dld", "dl", "dj", "djd", "dcost", "delta",
          "deltas", "nabla", "error", "partial", "accum", "sum", "total", "d", "g")
AFTER = ("gradients", "gradient", "grads", "grad", "derivative", "deriv", "deltas", "delta", "errors", "error", "diff", "d", "g")
SAME = {"weight": "w", "weights": "w", "kernel": "w", "kernels": "w", "filter": "w", "filters": "w", "bias": "b", "biases": "b",
        "ws": "w", "bs": "b", "inputs": "x", "input": "x", "inp": "x", "dx": "x"}


def stem(name):
    """One word for all spellings of a parameter: W, weight and weights are "w", W1 and weights1 "w1"."""
    name = plain(name)
    letters = name.rstrip("0123456789")
    return SAME.get(letters, letters) + name[len(letters):]


def stems_of_gradient(name):
    """The stems that `name` may be a gradient of: dW of "w", weights_grad of "w"."""
    name, found = plain(name), []
    for marks, cut in ((BEFORE, str.removeprefix), (AFTER, str.removesuffix)):
        for mark in marks:
            rest = cut(name, mark)
            if rest and rest != name:
                found.append(stem(rest))
    return found
