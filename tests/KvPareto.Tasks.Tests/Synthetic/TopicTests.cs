using KvPareto.Tasks.Synthetic;

namespace KvPareto.Tasks.Tests.Synthetic;

public class TopicTests
{
    [Theory]
    [InlineData(SyntheticKind.Fact)]
    [InlineData(SyntheticKind.TwoHop)]
    [InlineData(SyntheticKind.Count)]
    public void EveryQuestion_HasExactlyTheAnswerOfItsText(SyntheticKind kind)
    {
        var generator = new DocumentGenerator();
        foreach (var length in new[] { SyntheticOptions.LeastLength, 200, 1000 })
        {
            for (var index = 0; index < 25; index++)
            {
                // A document of many questions has those of training; a sample is asked the first of them.
                foreach (var questions in new[] { 1, 12 })
                {
                    var document = generator.Generate(kind, 3, index, length, questions);
                    foreach (var (question, answer, reply) in document.Questions)
                    {
                        Assert.Equal([answer], TextSolver.Solve(document.Context, question));
                        Assert.True(AnswerMatch.IsRight(reply, answer));
                    }
                }
            }
        }
    }

    [Fact]
    public void EveryLabel_FollowsFromTheExamplesOfItsSort()
    {
        var generator = new DocumentGenerator();
        for (var index = 0; index < 100; index++)
        {
            var document = generator.Generate(SyntheticKind.Label, 3, index, 96 + 7 * index, questions: 20);
            foreach (var (question, answer, _) in document.Questions)
            {
                Assert.Equal([answer], TextSolver.SolveLabel(document.Context, question, Words.Sorts));
                Assert.Contains(answer, document.Classes);
            }
        }
    }

    [Fact]
    public void TwoHopReply_NamesTheStepBetween()
    {
        foreach (var sample in SyntheticSample.Generate(new SyntheticOptions { Kind = SyntheticKind.TwoHop, Count = 40, Length = 300 }))
        {
            var name = sample.Input.Split(' ')[5];
            var between = sample.Reply.Split(' ')[1];
            var first = sample.Input.Contains("pet", StringComparison.Ordinal) ? $"What is the pet of {name}?" : $"What does {name} own?";
            Assert.Equal([between], TextSolver.Solve(sample.Context, first));
            Assert.EndsWith($" {sample.Answer}.", sample.Reply, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Count_TakesEveryValue()
    {
        var samples = SyntheticSample.Generate(new SyntheticOptions { Kind = SyntheticKind.Count, Count = 300, Length = 600 });
        var answers = samples.Select(sample => sample.Answer).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "9"], answers);
    }

    [Fact]
    public void Fact_HasOthersOfTheSameRelationAndOfTheSameSubject()
    {
        var generator = new DocumentGenerator();
        var (sameRelation, sameSubject) = (0, 0);
        for (var index = 0; index < 50; index++)
        {
            var questions = generator.Generate(SyntheticKind.Fact, 3, index, 2600, questions: 100).Questions;
            sameRelation += questions.Select(Relation).GroupBy(relation => relation).Any(group => group.Count() > 1) ? 1 : 0;
            sameSubject += questions.Select(Subject).GroupBy(subject => subject).Any(group => group.Count() > 1) ? 1 : 0;
        }
        Assert.InRange(sameRelation, 48, 50);
        Assert.InRange(sameSubject, 40, 50);
    }

    [Fact]
    public void Words_OfOneSortAreInNoOther()
    {
        var words = Words.Sorts.SelectMany(sort => sort).ToList();
        Assert.Equal(words.Count, words.Distinct().Count());
    }

    private static string Subject(SolvedQuestion question) =>
        question.Question.TrimEnd('?').Split(' ').Last(word => word is not ("live" or "like"));

    private static string Relation(SolvedQuestion question) => question.Question.Replace(Subject(question), "", StringComparison.Ordinal);
}
