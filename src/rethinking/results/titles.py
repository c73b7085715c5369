"""What models and corruptions are called where people read them; their looks are in `style`, for figures alone."""

MODEL_TITLES = {
    "inception": "Inception",
    "inception-nobn": "Inception w/o BatchNorm",
    "alexnet": "AlexNet",
    "mlp-3x512": "MLP 3×512",
    "mlp-1x512": "MLP 1×512",
    "resnet18": "ResNet18",
    "resnet34": "ResNet34",
    "cnn": "CNN",
    "perceptron": "Perceptron",
}

CORRUPTION_TITLES = {
    "true": "true labels",
    "random-labels": "random labels",
    "shuffled-pixels": "shuffled pixels",
    "random-pixels": "random pixels",
    "gaussian": "Gaussian",
}


def model_title(model: str) -> str:
    """Return what a model is called: its name in params.yaml where nobody has said otherwise."""
    return MODEL_TITLES.get(model, model)
