using KvPareto.Engine.Checkpoints;

namespace KvPareto.Engine.Tests.Checkpoints;

public class UserCacheTests
{
    [Fact]
    public void Root_IsTheUsersUnlessNamed()
    {
        static string Root(params (string Name, string Value)[] variables) =>
            UserCache.Root(name => Array.Find(variables, v => v.Name == name).Value);
        Assert.Equal("/named", Root((UserCache.Variable, "/named"), ("XDG_CACHE_HOME", "/caches")));
        Assert.Equal(Path.Combine("/caches", "kvpareto"), Root(("XDG_CACHE_HOME", "/caches")));
        Assert.EndsWith(Path.Combine(".cache", "kvpareto"), Root(("XDG_CACHE_HOME", "relative")));
        Assert.EndsWith(Path.Combine(".cache", "kvpareto"), Root());
    }
}
