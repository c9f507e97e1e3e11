import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import weka.attributeSelection.InfoGainAttributeEval;
import weka.classifiers.Classifier;
import weka.classifiers.Evaluation;
import weka.classifiers.bayes.NaiveBayesMultinomial;
import weka.classifiers.trees.RandomForest;
import weka.core.Instances;
import weka.core.converters.ConverterUtils.DataSource;

/** What Weka makes of the tables that the example weka_export writes: FOLDER SEEDS, to FOLDER/weka.json. */
public class Check {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int seeds = Integer.parseInt(args[1]);
        List<String> parts = new ArrayList<>();
        parts.add("\"bayes\": " + bayes(folder));
        parts.add("\"merits\": " + merits(folder));
        parts.add("\"forest\": " + forests(folder, seeds));
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(folder.resolve("weka.json")))) {
            out.println("{" + String.join(", ", parts) + "}");
        }
    }

    private static Instances load(Path folder, String name) throws Exception {
        Instances table = DataSource.read(folder.resolve(name).toString());
        table.setClassIndex(table.numAttributes() - 1);
        return table;
    }

    private static String score(Classifier classifier, Instances train, Instances test) throws Exception {
        Evaluation evaluation = new Evaluation(train);
        evaluation.evaluateModel(classifier, test);
        return String.format(Locale.ROOT, "{\"accuracy\": %.12f, \"rrse\": %.12f}",
                evaluation.pctCorrect() / 100, evaluation.rootRelativeSquaredError());
    }

    private static String bayes(Path folder) throws Exception {
        Instances train = load(folder, "bag-train.arff");
        Instances test = load(folder, "bag-test.arff");
        NaiveBayesMultinomial bayes = new NaiveBayesMultinomial();
        bayes.buildClassifier(train);
        List<String> parts = new ArrayList<>();
        parts.add("\"score\": " + score(bayes, train, test));
        for (String backEnd : new String[] {"sparse", "linfa"}) {
            double worst = worst(bayes, test, folder.resolve("bag-ours-" + backEnd + ".txt"));
            parts.add(String.format(Locale.ROOT, "\"difference_%s\": %e", backEnd, worst));
        }
        return "{" + String.join(", ", parts) + "}";
    }

    /** The greatest difference between a probability of ours and Weka's. */
    private static double worst(Classifier bayes, Instances test, Path ours) throws Exception {
        List<String> lines = Files.readAllLines(ours);
        if (lines.size() != test.numInstances()) {
            throw new IOException(ours + " has " + lines.size() + " lines for " + test.numInstances() + " instances");
        }
        double worst = 0;
        for (int row = 0; row < lines.size(); row++) {
            double[] theirs = bayes.distributionForInstance(test.instance(row));
            String[] fields = lines.get(row).split(" ");
            for (int c = 0; c < theirs.length; c++) {
                worst = Math.max(worst, Math.abs(theirs[c] - Double.parseDouble(fields[c])));
            }
        }
        return worst;
    }

    private static String merits(Path folder) throws Exception {
        Instances train = load(folder, "merit-train.arff");
        InfoGainAttributeEval gain = new InfoGainAttributeEval();
        gain.buildEvaluator(train);
        List<String> parts = new ArrayList<>();
        for (int at = 0; at < train.numAttributes() - 1; at++) {
            parts.add(String.format(Locale.ROOT, "\"%s\": %.12f", train.attribute(at).name(), gain.evaluateAttribute(at)));
        }
        return "{" + String.join(", ", parts) + "}";
    }

    private static String forests(Path folder, int seeds) throws Exception {
        Instances train = load(folder, "stage1-train.arff");
        Instances test = load(folder, "stage1-test.arff");
        List<String> parts = new ArrayList<>();
        for (int seed = 1; seed <= seeds; seed++) {
            RandomForest forest = new RandomForest();
            forest.setSeed(seed);
            forest.setNumIterations(100);
            forest.buildClassifier(train);
            parts.add(score(forest, train, test));
        }
        return "[" + String.join(", ", parts) + "]";
    }
}
