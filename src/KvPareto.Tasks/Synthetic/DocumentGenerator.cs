using System.Runtime.InteropServices;
using System.Text;

namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Makes documents from (kind, seed, index, length) alone: the same four give the same characters on every machine. Not safe for
/// several threads at once; each takes its own.
/// </summary>
internal sealed class DocumentGenerator
{
    private const int SentencesPerParagraph = 7;
    private const int PiecesPerQuestion = 18;
    private const int SolvedFramePieces = 9;
    private const int LeastFactPercent = 35;
    private const int MostFactPercent = 65;
    private const double GoldenRatio = 0.6180339887498949;
    private const double SeedStep = 0.7548776662466927;

    private readonly Topic[] _topics = [.. Enum.GetValues<SyntheticKind>().Select(Topic.Create)];
    private readonly DocumentDraft _draft = new();
    private readonly SampleRandom _random = new(0, 0, 0, 0);
    private readonly List<Phrase> _sentences = [];
    private readonly StringBuilder _text = new();

    /// <summary>A document with one or more questions.</summary>
    /// <param name="kind">What is asked.</param>
    /// <param name="seed">Seed of the set of samples.</param>
    /// <param name="index">Number of the sample in its set.</param>
    /// <param name="length">
    /// Pieces (<see cref="TextPieces"/>) of context and questions together; with one question it is never exceeded, and missed by
    /// less than one sentence.
    /// </param>
    /// <param name="questions">How many questions at most; 1 for a sample.</param>
    public SyntheticDocument Generate(SyntheticKind kind, int seed, int index, int length, int questions = 1)
    {
        _random.Reset((ulong)kind, (ulong)seed, (ulong)index, (ulong)length);
        _draft.Clear();
        var percent = _random.Between(LeastFactPercent, MostFactPercent);
        var room = length - SyntheticPrompt.FramePieces - questions * PiecesPerQuestion;
        _topics[(int)kind].Write(_draft, _random, Math.Max(room, 0) * percent / 100);
        var (solved, questionPieces) = Ask(questions);
        AddFiller(length - SyntheticPrompt.FramePieces - questionPieces);

        // Multiples of the golden ratio fall evenly into 0 … 1 however many samples are taken.
        var position = index * GoldenRatio + seed * SeedStep;
        var depth = Arrange(position - Math.Floor(position));
        return new SyntheticDocument { Context = Render(), Questions = solved, Classes = [.. _draft.Classes], Depth = depth };
    }

    private (List<SolvedQuestion> Solved, int Pieces) Ask(int limit)
    {
        var questions = CollectionsMarshal.AsSpan(_draft.Questions);
        if (limit > 1) _random.Shuffle(questions);
        var solved = new List<SolvedQuestion>(limit);
        var pieces = -SolvedFramePieces;
        foreach (var question in questions[..Math.Min(limit, questions.Length)])
        {
            question.Text.AppendTo(_text.Clear());
            var asked = _text.ToString();
            pieces += question.Text.Pieces + SolvedFramePieces;
            var reply = question.Answer;
            if (question.Reply is { } sentence)
            {
                sentence.AppendTo(_text.Clear());
                reply = _text.ToString();
                pieces += limit > 1 ? sentence.Pieces : 0;
            }
            solved.Add(new SolvedQuestion(asked, question.Answer, reply));
        }
        return (solved, pieces);
    }

    private void AddFiller(int budget)
    {
        _sentences.Clear();
        var pieces = _draft.FactPieces;
        while (true)
        {
            var sentence = Filler.Write(_random);
            var breaks = (_sentences.Count + _draft.Facts.Count) / SentencesPerParagraph;
            pieces += sentence.Pieces;
            if (pieces + breaks > budget && _sentences.Count > 0) return;
            _sentences.Add(sentence);
        }
    }

    private double Arrange(double wanted)
    {
        for (var fact = 0; fact < _draft.Facts.Count; fact++)
            if (fact != _draft.AnswerFact)
                _sentences.Add(_draft.Facts[fact]);
        _random.Shuffle(CollectionsMarshal.AsSpan(_sentences)[1..]);
        if (_draft.AnswerFact < 0) return double.NaN;
        var position = 1 + (int)(wanted * _sentences.Count);
        _sentences.Insert(position, _draft.Facts[_draft.AnswerFact]);
        return (double)position / (_sentences.Count - 1);
    }

    private string Render()
    {
        _text.Clear();
        var inParagraph = 0;
        foreach (var sentence in _sentences)
        {
            if (inParagraph >= SentencesPerParagraph && sentence.Template.OpensParagraphs)
            {
                _text.Append('\n');
                inParagraph = 0;
            }
            else if (inParagraph > 0)
            {
                _text.Append(' ');
            }
            sentence.AppendTo(_text);
            inParagraph++;
        }
        return _text.ToString();
    }
}
