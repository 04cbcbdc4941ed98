"""What a teacher uploads: for each grader the files that go into its bundle as they stand, and hold
all that is particular to it.

    gradescope.py, setup.sh, run_autograder         classroom50.py, called autograder.py there
    prairielearn.py, called test_student.py there, and question.html

bundles.py puts them together with minialex, whose `grading.grade` gives points and words for what
one student handed in.
"""
