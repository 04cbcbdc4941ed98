"""The course: every claim that the study notes make about AlexNet, settled by running code."""
