using System.Text.Json;
using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.Metrics.Chinese;

public class ChineseSegmenterTests
{
    [Theory]
    [InlineData("我是北京大学生", "我|是|北京|大学生")]
    [InlineData("我是北京大学的学生", "我|是|北京大学|的|学生")]
    [InlineData("甲乙丙", "甲乙|丙")] // as likely as 甲|乙丙: the longer first word
    [InlineData("我的是北京", "我|的|是|北京")]
    [InlineData("的是", "的|是")] // a word of the dictionary that is likelier in parts is not given to the model
    [InlineData("上海自来", "上|海|自|来")] // beginnings are no words
    [InlineData("上海自来水", "上海自来水")]
    [InlineData("AT&T和C++是3.14%的", "AT&T|和|C|++|是|3.14%|的")]
    public void Cut_TakesTheLikeliestWordsOfTheDictionary(string text, string words) => Cuts(text, words);

    [Theory]
    [InlineData("小明和张伟", "小明|和|张伟")]
    [InlineData("小小明和", "小小明|和")]
    [InlineData("龘龘龘小明", "龘|龘|龘|小|明")] // the unknown drowns what is known: differences are lost beside -3.14e100, and S comes last
    [InlineData("小明a小明", "小明|a|小明")]
    [InlineData("a.5%b", "a.5%|b")]
    [InlineData("abc12.5%.%3", "abc12.5%|.%|3")]
    [InlineData("x_y-z+1", "x|_|y|-|z|+|1")]
    public void Cut_GivesRunsOfSingleCharactersToTheModel(string text, string words) => Cuts(text, words);

    [Theory]
    [InlineData("我 是\r\n大学\n\r\t生", "我| |是|\r\n|大学|\n|\r|\t|生")]
    [InlineData("\U00020BB7野家", "\U00020BB7|野|家")]
    [InlineData("Ａ１，。！", "Ａ|１|，|。|！")]
    [InlineData("éa鿕鿖", "é|a|鿕|鿖")]
    public void Cut_TakesEachOtherCharacterForAWord(string text, string words) => Cuts(text, words);

    [Fact]
    public void Cut_LosesNothing()
    {
        // Half of a surrogate pair may stand alone here.
        const string letters = "北京大学生我的是小明张伟和甲乙丙上海自来水龘aT&.5% \r\n，\U00020BB7";
        var (segmenter, random) = (TinyJieba.Open(), new Random(7));
        for (var i = 0; i < 500; i++)
        {
            var text = new string(random.GetItems<char>(letters, random.Next(40)));
            Assert.Equal(text, string.Concat(segmenter.Cut(text)));
        }
    }

    [Fact]
    public void Cut_IsJiebas()
    {
        var segmenter = ChineseSegmenter.Open(TestData.SharedOrSkip("data", "jieba"));
        var count = 0;
        foreach (var line in File.ReadLines(TestData.SharedOrSkip("data", "jieba", "segmented.jsonl")))
        {
            using var row = JsonDocument.Parse(line);
            var words = row.RootElement.GetProperty("words").EnumerateArray().Select(word => word.GetString()!);
            Assert.Equal(words, segmenter.Cut(row.RootElement.GetProperty("text").GetString()!));
            count++;
        }
        Assert.Equal(208, count);
    }

    [Fact]
    public void Open_ReadsAFolderOnce()
    {
        using var folder = new ScratchFolder();
        var path = TinyJieba.Write(folder);
        Assert.Same(ChineseSegmenter.Open(path), ChineseSegmenter.Open(path + Path.DirectorySeparatorChar));
    }

    [Fact]
    public void Digest_FollowsBothFiles()
    {
        var digest = TinyJieba.Open().Digest;
        Assert.Equal(digest, TinyJieba.Open().Digest);
        Assert.NotEqual(digest, Digest(TinyJieba.Dictionary + "小明 1\n", TinyJieba.Model));
        Assert.NotEqual(digest, Digest(TinyJieba.Dictionary, TinyJieba.Model + " "));

        static string Digest(string dictionary, string model)
        {
            using var folder = new ScratchFolder();
            return ChineseSegmenter.Open(TinyJieba.Write(folder, dictionary, model)).Digest;
        }
    }

    private static void Cuts(string text, string words) => Assert.Equal(words.Split('|'), TinyJieba.Open().Cut(text));
}
