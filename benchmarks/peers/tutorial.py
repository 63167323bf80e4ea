"""The training loop of the tutorials, as a peer to compare with.

Source of the recipe: the classifier tutorial of pytorch.org, with the crop and flip of He et al.
(arXiv:1512.03385, sec. 4.2): images through PIL one by one in two loader processes, fp32, NCHW,
the loss read back at every step. `mixed` adds automatic mixed precision and channels_last.
"""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from search.training.arrays import ByteArray
from search.training.augment import MEAN, STD
from search.training.data import Split

NUM_LOADERS = 2
PLAIN = (transforms.ToTensor(), transforms.Normalize(MEAN, STD))
AUGMENTED = (transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *PLAIN)


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's CIFAR10 hands them out: one by one, through PIL."""

    def __init__(self, images: ByteArray, labels: ByteArray, steps: tuple[object, ...]) -> None:
        self.images = images
        self.labels = labels
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one transformed image and its label."""
        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the tutorials' loop is run with."""

    batch_size: int
    learning_rate: float
    epochs: int
    mixed: bool
    device: torch.device
    num_loaders: int = NUM_LOADERS  # processes; 0 where trainings fill the cores themselves


class Tutorial:
    """A model and its loaders; `epoch()` trains over all images once and validates."""

    def __init__(self, model: nn.Module, split: Split, recipe: Recipe) -> None:
        layout = torch.channels_last if recipe.mixed else torch.contiguous_format
        self.recipe = recipe
        self.model = model.to(recipe.device).to(memory_format=layout)
        training = Pictures(split.train_images, split.train_labels, AUGMENTED)
        validation = Pictures(split.validation_images, split.validation_labels, PLAIN)
        size, loaders = recipe.batch_size, recipe.num_loaders
        self.training = DataLoader(training, size, shuffle=True, num_workers=loaders)
        self.validation = DataLoader(validation, size, num_workers=loaders)
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=recipe.learning_rate, momentum=0.9, weight_decay=5e-4
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=recipe.learning_rate,
            total_steps=recipe.epochs * len(self.training),
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    def epoch(self) -> float:
        """Return the share of validation images that are right after one more epoch."""
        self.model.train()
        running_loss = 0.0
        for images, labels in self.training:
            self.optimizer.zero_grad()
            loss = self.criterion(self._logits(images), labels.to(self.recipe.device))
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            running_loss += loss.item()
        return self._accuracy()

    def _accuracy(self) -> float:
        self.model.eval()
        right = total = 0
        with torch.no_grad():
            for images, labels in self.validation:
                predicted = self._logits(images).argmax(dim=1).cpu()
                right += (predicted == labels).sum().item()
                total += len(labels)
        return right / total

    def _logits(self, images: Tensor) -> Tensor:
        device, mixed = self.recipe.device, self.recipe.mixed
        images = images.to(device)
        if mixed:
            images = images.to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            logits: Tensor = self.model(images)
        return logits.float()
