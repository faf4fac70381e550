using System.Reflection;
using System.Text.RegularExpressions;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

/// <summary>A type is public because another project than its own and its tests' names it, or because such a type shows it.</summary>
public class PublicTypesTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly string[] Folders = ["src", "tests", "benchmarks", "scripts"];

    private static readonly string[] Projects = ["Text", "Engine", "Cpu", "Cuda", "Torch", "Tasks", "Sweep"];

    [Fact]
    public void NoTypeIsPublicForNobody()
    {
        var files = Files();
        var unneeded = Projects.SelectMany(project =>
        {
            Type[] types = [.. Assembly.Load($"KvPareto.{project}").GetExportedTypes().Where(type => !type.IsNested)];
            var words = WordsOutside(files, $"KvPareto.{project}");
            var needed = new HashSet<Type>();
            foreach (var type in types.Where(type => words.Contains(NameOf(type)) || IsExtensions(type))) Add(type, needed);
            return types.Except(needed);
        });
        Assert.Equal("", string.Join(", ", unneeded.Select(type => type.FullName).Order()));
    }

    // Extension methods are called without their class's name.
    private static bool IsExtensions(Type type) =>
        type.IsDefined(typeof(System.Runtime.CompilerServices.ExtensionAttribute), inherit: false);

    private static string NameOf(Type type) => type.Name.Split('`')[0];

    // Each file's folders and words.
    private static List<(string[] Folders, HashSet<string> Words)> Files() =>
    [
        .. Folders.SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(TestData.RepositoryRoot, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => (File: file, Folders: file.Split(Path.DirectorySeparatorChar)))
            .Where(file => !file.Folders.Any(part => part is "obj" or "bin"))
            .Select(file => (file.Folders, Regex.Matches(File.ReadAllText(file.File), @"\w+").Select(match => match.Value).ToHashSet())),
    ];

    private static HashSet<string> WordsOutside(List<(string[] Folders, HashSet<string> Words)> files, string project) =>
    [
        .. files.Where(file => !file.Folders.Any(part => part == project || part == project + ".Tests")).SelectMany(file => file.Words),
    ];

    private static void Add(Type type, HashSet<Type> needed)
    {
        if (type.HasElementType) Add(type.GetElementType()!, needed);
        foreach (var argument in type.GetGenericArguments().Where(argument => !argument.IsGenericParameter)) Add(argument, needed);
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        if (!definition.Assembly.GetName().Name!.StartsWith("KvPareto.", StringComparison.Ordinal) || !needed.Add(definition)) return;
        if (definition.BaseType is { } parent) Add(parent, needed);
        foreach (var shown in definition.GetInterfaces()) Add(shown, needed);
        foreach (var member in definition.GetMembers(All)) AddShown(member, needed);
    }

    private static void AddShown(MemberInfo member, HashSet<Type> needed)
    {
        switch (member)
        {
            case MethodBase { IsPublic: true } or MethodBase { IsFamily: true } or MethodBase { IsFamilyOrAssembly: true }:
                foreach (var parameter in ((MethodBase)member).GetParameters()) Add(parameter.ParameterType, needed);
                if (member is MethodInfo method) Add(method.ReturnType, needed);
                break;
            case FieldInfo { IsPublic: true } field: Add(field.FieldType, needed); break;
            case Type { IsNestedPublic: true } nested: Add(nested, needed); break;
        }
    }
}
